import { afterEach, expect, it } from 'vitest'
import { openUdpSocket, type UdpSocket } from './udp-socket.ts'

const sockets: UdpSocket[] = []

async function open(): Promise<UdpSocket> {
  const socket = await openUdpSocket('127.0.0.1', 0)
  sockets.push(socket)
  return socket
}

afterEach(async () => {
  for (const socket of sockets.splice(0)) await socket.close()
})

it('a packet that cannot be sent is counted, and others still go', async () => {
  const [from, to] = [await open(), await open()]
  let errors = 0
  from.onSendError = () => errors++
  from.send(new Uint8Array(10), 10, { host: '127.0.0.1', port: 0 })
  expect(errors).toBe(1)
  // Larger than UDP can carry: only the kernel says so.
  from.send(new Uint8Array(70_000), 70_000, to.local)
  await expect.poll(() => errors).toBe(2)
  const arrived = new Promise<number>((resolve) => {
    to.onDatagram = (bytes) => resolve(bytes.length)
  })
  from.send(new Uint8Array(10), 10, to.local)
  expect(await arrived).toBe(10)
})

it('an address that cannot be had is told in one line', async () => {
  const taken = await open()
  await expect(openUdpSocket('127.0.0.1', taken.local.port)).rejects.toThrow(/^[^\n]*in use[^\n]*$/)
})
