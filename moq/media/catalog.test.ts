import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Catalog, decodeCatalog, encodeCatalog } from './catalog.ts'
import { MediaFormatError } from './errors.ts'

const catalog: Catalog = {
  displayName: 'Ada 100%',
  generatedAt: 1_746_104_606_044,
  decodes: ['vp8', 'h264'],
  tracks: [
    {
      name: 'video/0',
      role: 'video',
      codec: 'vp8',
      live: true,
      width: 640,
      height: 360,
      framerate: 30,
      bitrate: 500_000,
      altGroup: 1,
      renderGroup: 1,
      temporalLayers: 3,
    },
    {
      name: 'audio',
      role: 'audio',
      codec: 'opus',
      live: true,
      samplerate: 48_000,
      channelConfig: '1',
      bitrate: 32_000,
      renderGroup: 1,
      muted: true,
    },
  ],
}

const decodeText = (text: string): Catalog => decodeCatalog(new TextEncoder().encode(text))
const withTrack = (fields: object): string =>
  JSON.stringify({ version: 'draft-01', tracks: [{ name: 'a', packaging: 'loc', ...fields }] })

describe('catalog', () => {
  it('round-trips, with a percent sign that no substitution can see', () => {
    const bytes = encodeCatalog(catalog)
    expect(decodeCatalog(bytes)).toEqual(catalog)
    expect(new TextDecoder().decode(bytes)).not.toContain('%')
  })

  it('says in a field of ours what its participant can decode, in bounds', () => {
    const of = (decodes: unknown) =>
      JSON.stringify({ version: 'draft-01', 'sotto-decodes': decodes, tracks: [] })
    expect(decodeText(of(['vp8'])).decodes).toEqual(['vp8'])
    for (const bad of ['vp8', [8], ['v'.repeat(300)], Array(33).fill('vp8')]) {
      expect(() => decodeText(of(bad))).toThrow(MediaFormatError)
    }
  })

  it('is what MSF says on the wire', () => {
    const json = JSON.parse(new TextDecoder().decode(encodeCatalog(catalog)))
    expect(json.version).toBe('draft-01')
    expect(json.tracks[0]).toMatchObject({ name: 'video/0', packaging: 'loc', isLive: true })
    expect(json.tracks[1]).toMatchObject({ samplerate: 48_000, channelConfig: '1' })
  })

  it('leaves out other packagings and unknown fields', () => {
    const text = JSON.stringify({
      version: 'draft-01',
      extra: 1,
      tracks: [
        { name: 'history', packaging: 'mediatimeline', isLive: 'odd' },
        { name: 'a', packaging: 'loc', isLive: true, toString: 1 },
      ],
    })
    expect(decodeText(text)).toEqual({ displayName: '', tracks: [{ name: 'a', live: true }] })
  })

  it.each([
    ['no JSON', '{', /not JSON/],
    ['no object', '[]', /not a JSON object/],
    ['another version', '{"version":"draft-99","tracks":[]}', /draft-99/],
    ['no tracks', '{"version":"draft-01"}', /without tracks/],
    ['a delta', '{"generatedAt":1,"deltaUpdate":[]}', /delta/],
    ['a huge width', withTrack({ width: 1e9 }), /width/],
    ['a width as text', withTrack({ width: '640' }), /width/],
    ['long text', withTrack({ label: 'x'.repeat(257) }), /label/],
    ['half a surrogate', withTrack({ label: '\\ud800' }).replace('\\\\', '\\'), /label/],
    ['no codec', withTrack({ role: 'video' }), /codec/],
    ['too many layers', withTrack({ 'sotto-temporalLayers': 9 }), /temporalLayers/],
    ['no name', '{"version":"draft-01","tracks":[{"packaging":"loc"}]}', /name/],
    [
      'a name twice',
      JSON.stringify({
        version: 'draft-01',
        tracks: [
          { name: 'a', packaging: 'loc' },
          { name: 'a', packaging: 'loc' },
        ],
      }),
      /twice/,
    ],
    [
      'too many tracks',
      JSON.stringify({ version: 'draft-01', tracks: new Array(65).fill({}) }),
      /at most 64/,
    ],
  ])('refuses %s', (_, text, reason) => {
    expect(() => decodeText(text)).toThrow(MediaFormatError)
    expect(() => decodeText(text)).toThrow(reason)
  })

  it('refuses a document above its bound before parsing it', () => {
    expect(() => decodeCatalog(new Uint8Array(65_537))).toThrow(/65537 bytes/)
  })

  it('never fails otherwise, whatever the JSON', () => {
    fc.assert(
      fc.property(fc.json(), (tracks) => {
        try {
          decodeText(`{"version":"draft-01","tracks":[${tracks}],"__proto__":${tracks}}`)
        } catch (error) {
          expect(error).toBeInstanceOf(MediaFormatError)
        }
      }),
    )
  })
})
