/**
 * The engines of `@fails-components/webtransport`: native HTTP/3 on UDP, and WebSocket on TCP for
 * clients whose network lets no UDP through.
 */

export { createFailsEngine } from './http3.ts'
export { failsNativeInstalled } from './package.ts'
export { createWebSocketEngine } from './websocket.ts'
