/** Position of an object in a track (section 1.4.2). */
export interface Location {
  readonly group: number
  readonly object: number
}

/** Whether `a` lies behind `b` in a track. */
export function isAfter(a: Location, b: Location): boolean {
  return a.group > b.group || (a.group === b.group && a.object > b.object)
}
