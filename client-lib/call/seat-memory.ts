/** Which seat this tab had in a room, over a reload; not where the browser lets nothing be stored. */

const PREFIX = 'sotto-seat:'

export function seatOf(room: string): string | null {
  return trying(() => sessionStorage.getItem(PREFIX + room))
}

export function keepSeat(room: string, seat: string): void {
  trying(() => sessionStorage.setItem(PREFIX + room, seat))
}

export function dropSeat(room: string): void {
  trying(() => sessionStorage.removeItem(PREFIX + room))
}

function trying<T>(work: () => T): T | null {
  try {
    return work()
  } catch {
    // Forbidden to this page, or full: then a reload is a new seat.
    return null
  }
}
