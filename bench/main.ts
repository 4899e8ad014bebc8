/**
 * Benchmarks of Sotto: `npm run bench -- <scenario> [--json <file>]`. A scenario measures, the report
 * room prints its figures as a table and writes them as JSON with a description of the machine.
 */

import { bench } from './command.ts'

// By way of `exit`, so that a relay of ours, and whoever else works for the bench, ends too.
process.on('SIGINT', () => process.exit(130))
process.on('SIGTERM', () => process.exit(143))

process.exitCode = await bench(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  error: (text) => process.stderr.write(text),
})
