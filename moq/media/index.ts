/** Media on MoQT: how a call names its tracks, describes them, and marks their objects. */

export * from './catalog.ts'
export * from './errors.ts'
export * from './frame-marking.ts'
export * from './loc.ts'
export * from './names.ts'
export * from './object-metadata.ts'
export * from './relay-marks.ts'
