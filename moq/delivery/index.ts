/** The delivery service's wire format, shared by the service and the members (RFC 9750 section 5). */

export * from './credential.ts'
export * from './errors.ts'
export * from './limits.ts'
export * from './log-entry.ts'
export * from './names.ts'
export * from './report.ts'
export * from './snapshot.ts'
export * from './submission.ts'
export * from './suites.ts'
