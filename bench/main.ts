/**
 * Benchmarks of Sotto: `npm run bench -- <scenario> [--json <file>]`. A scenario measures, the report
 * room prints its figures as a table and writes them as JSON with a description of the machine.
 */

import { bench } from './command.ts'

process.exitCode = await bench(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  error: (text) => process.stderr.write(text),
})
