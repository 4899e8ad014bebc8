/**
 * Crypto that is synchronous in Node and asynchronous in browsers, behind one call: a provider that
 * answers at once costs no promise.
 */
export type MaybePromise<T> = T | Promise<T>

/** `next(value)`, now if `value` is there, else when it is. */
export function whenReady<T, R>(
  value: MaybePromise<T>,
  next: (value: T) => MaybePromise<R>,
): MaybePromise<R> {
  return value instanceof Promise ? value.then(next) : next(value)
}
