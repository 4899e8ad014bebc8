#!/usr/bin/env node
/**
 * The relay process: reads its configuration, starts, says `ready`, and ends on SIGTERM. `token` makes
 * keys and tokens instead.
 */

import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Logger } from 'pino'
import { systemClock } from '../moq/session/index.ts'
import { AdmissionControl, runTokenCommand } from './admission/index.ts'
import { CertificateKeeper } from './certificate/index.ts'
import { type Config, parseConfig } from './config.ts'
import { explain } from './explain.ts'
import { certificateNames } from './operate/address.ts'
import { createLogger } from './operate/log.ts'
import { type RunningServer, startServer } from './server.ts'
import { startWorkers } from './workers/parent.ts'

async function main(): Promise<void> {
  const argv = process.argv.slice(2)
  if (argv[0] === 'token') {
    await token(argv.slice(1))
    return
  }
  const config = parseConfig(argv, process.env, (path) => readFileSync(path, 'utf8'))
  switch (config.command) {
    case 'print':
      process.stdout.write(config.text)
      return
    case 'check-config':
      await checkConfig(config)
      return
    case 'start':
      await start(config)
  }
}

async function token(argv: readonly string[]): Promise<void> {
  const context = { wallClock: Date.now, randomId: randomUUID }
  const { stdout, stderr } = await runTokenCommand(argv, context)
  process.stderr.write(stderr)
  process.stdout.write(stdout)
}

/** Certificate and token keys are read too: what would stop the start is told here. */
async function checkConfig(config: Config): Promise<void> {
  const { tlsCert, tlsKey, auth } = config
  const onProblem = (message: string) => void process.stderr.write(`${message}\n`)
  const keeper = await CertificateKeeper.open({
    names: certificateNames(config),
    files: tlsCert !== null && tlsKey !== null ? { cert: tlsCert, key: tlsKey } : null,
    now: Date.now,
    onProblem,
  })
  keeper.close()
  if (auth.kind !== 'none') {
    const admission = await AdmissionControl.open({
      location: auth,
      clock: systemClock,
      wallClock: Date.now,
      onProblem,
    })
    admission.close()
  }
  process.stdout.write('the configuration is valid\n')
}

async function start(config: Config): Promise<void> {
  const log = createLogger({ level: config.logLevel, format: config.logFormat })
  const server = await (config.workers === 1 ? startServer : startWorkers)(config, log)
  endOnSignal(server, log)
  log.info(server.urls, 'ready')
}

function endOnSignal(server: RunningServer, log: Logger): void {
  let asked = 0
  const end = () => {
    asked++
    // A second signal does not wait for callers.
    const done = asked === 1 ? server.drain() : server.close()
    done.catch((error) => {
      log.error({ err: error }, 'the relay did not stop in order')
      process.exit(1)
    })
  }
  void server.ended.then((failure) => {
    if (failure !== null) log.fatal(failure)
    process.exit(failure === null ? 0 : 1)
  })
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
  process.on('SIGHUP', () => void server.reload())
}

main().catch((error) => {
  process.stderr.write(`sotto: ${explain(error)}\n`)
  process.exitCode = 1
})
