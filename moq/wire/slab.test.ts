import { describe, expect, it } from 'vitest'
import { allocatePiece } from './slab.ts'

describe('pieces of slabs', () => {
  it('have their length, are zero, and share no byte with each other', () => {
    const pieces = Array.from({ length: 500 }, (_, i) => allocatePiece(1 + ((i * 997) % 9000)))
    pieces.forEach((piece, i) => {
      expect(piece.length).toBe(1 + ((i * 997) % 9000))
      expect(piece.every((byte) => byte === 0)).toBe(true)
      piece.fill(1 + (i % 255))
    })
    pieces.forEach((piece, i) => {
      expect(piece.every((byte) => byte === 1 + (i % 255))).toBe(true)
    })
  })
})
