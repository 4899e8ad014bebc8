/**
 * Writes the API reference, `docs/api/*.md`, one page an entry of the package, from the declarations and
 * their comments as they are published.
 *
 * `npm run docs`
 */

import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Node, SourceFile } from 'typescript/unstable/ast'
import { API, type Symbol as Exported, type Project, SymbolFlags } from 'typescript/unstable/sync'
import { buildModules } from './build-modules.ts'
import { type Entry, entries } from './entries.ts'

export interface Reference {
  /** Text of each page by its file name. */
  readonly pages: ReadonlyMap<string, string>
  /** What is exported without a comment, as `entry: name`. */
  readonly undocumented: readonly string[]
}

const home = fileURLToPath(new URL('..', import.meta.url))
const FOLDER = join(home, 'docs/api')

/** @throws BuildError when the sources do not compile */
export async function makeReference(): Promise<Reference> {
  const folder = await mkdtemp(join(tmpdir(), 'sotto-api-'))
  const api = new API({ cwd: folder })
  try {
    await buildModules(home, folder)
    const project = await openProject(api, folder)
    const pages = new Map<string, string>()
    const undocumented: string[] = []
    for (const entry of entries()) {
      const things = exportsOf(project, folder, entry).filter(({ isElsewhere }) => !isElsewhere)
      pages.set(fileNameOf(entry), pageOf(entry, headOf(project, folder, entry), things))
      undocumented.push(
        ...things.filter(({ text }) => text === '').map(({ name }) => `${entry.name}: ${name}`),
      )
    }
    return { pages, undocumented }
  } finally {
    api.close()
    await rm(folder, { recursive: true })
  }
}

async function openProject(api: API, folder: string): Promise<Project> {
  const compilerOptions = {
    noEmit: true,
    module: 'nodenext',
    target: 'es2024',
    lib: ['es2024', 'dom', 'dom.iterable'],
    types: [],
    skipLibCheck: true,
  }
  const config = join(folder, 'tsconfig.json')
  const files = entries().map(({ source }) => declarations(folder, source))
  await writeFile(config, JSON.stringify({ compilerOptions, files }))
  const [project] = api.updateSnapshot({ openProjects: [config] }).getProjects()
  if (project === undefined) throw new Error('the compiler opened no project')
  return project
}

function declarations(folder: string, source: string): string {
  return join(folder, source.replace(/\.ts$/, '.d.ts'))
}

function fileNameOf({ name }: Entry): string {
  return `${name.replace('sotto/', '').replaceAll('/', '-')}.md`
}

// ---- what an entry exports

interface Thing {
  readonly name: string
  /** What its comment says, in Markdown. */
  readonly text: string
  /** Its declaration, without what is private. */
  readonly code: string
  /** The entry that this one adds to has it too. */
  readonly isElsewhere: boolean
}

function sourceOf(project: Project, folder: string, source: string): SourceFile {
  const file = project.program.getSourceFile(declarations(folder, source))
  if (file === undefined) throw new Error(`${source} was not declared`)
  return file
}

function namesOf({ checker }: Project, file: SourceFile): readonly Exported[] {
  const module = checker.getSymbolAtLocation(file)
  return module === undefined ? [] : checker.getExportsOfModule(module)
}

function exportsOf(project: Project, folder: string, entry: Entry): Thing[] {
  const parent = entries().find(({ name }) => `${name}/node` === entry.name)
  const known = parent ? namesOf(project, sourceOf(project, folder, parent.source)) : []
  const elsewhere = new Set(known.map(({ name }) => name))
  const found = namesOf(project, sourceOf(project, folder, entry.source)).map((exported) => {
    const isAlias = (exported.flags & SymbolFlags.Alias) !== 0
    const symbol = isAlias ? project.checker.getAliasedSymbol(exported) : exported
    const { name } = exported
    const text = textOf(project, symbol)
    return { name, text, code: codeOf(symbol), isElsewhere: elsewhere.has(name) }
  })
  return found.sort((a, b) => (a.name < b.name ? -1 : 1))
}

function textOf({ checker }: Project, symbol: Exported): string {
  const paragraphs = [symbol.getDocumentationComment(checker).trim()]
  if (paragraphs[0] === '' && symbol.getJsDocTags(checker).length === 0) return ''
  const tags = symbol.getJsDocTags(checker).map(({ name, text }) => {
    const said = (text ?? '').replace(/\s*\n\s*/g, ' ').trim()
    if (name !== 'param') return `- ${name}: ${said}`
    const [, parameter, rest] = /^(\S+)\s*(.*)$/.exec(said) ?? []
    return `- \`${parameter}\`: ${rest}`
  })
  if (tags.length > 0) paragraphs.push(tags.join('\n'))
  return paragraphs.filter((paragraph) => paragraph !== '').join('\n\n')
}

const COMMENTS = /^(?:\s|\/\*[\s\S]*?\*\/|\/\/.*\n)+/
const MODIFIERS = /^(?:export |declare |default )+/

/** Declarations of a name, overloads among them, as they are published. */
function codeOf(symbol: Exported): string {
  const texts = symbol.declarations.map((handle) => {
    const node = handle.resolve()
    if (node === undefined) throw new Error(`${symbol.name} has no declaration`)
    return declarationOf(statementOf(node))
  })
  return [...new Set(texts)].join('\n')
}

/** A variable's declaration says nothing without `const`. */
function statementOf(node: Node): Node {
  return node.parent.parent === undefined ? node : statementOf(node.parent)
}

function declarationOf(node: Node): string {
  const text = sourceText(node)
  const hidden: string[] = []
  node.forEachChild((child) => {
    const member = sourceText(child)
    if (/^(?:private|protected|#)/.test(member.replace(COMMENTS, ''))) hidden.push(member)
    return undefined
  })
  const shown = hidden.reduce((left, member) => left.replace(member, ''), text)
  return shown.replace(COMMENTS, '').replace(MODIFIERS, '')
}

function sourceText(node: Node): string {
  return node.getSourceFile().text.slice(node.pos, node.end)
}

// ---- a page

function headOf(project: Project, folder: string, { source }: Entry): string {
  const { text } = sourceOf(project, folder, source)
  const [, comment = ''] = /^\/\*\*([\s\S]*?)\*\//.exec(text) ?? []
  return comment.replace(/^\s*\* ?/gm, '').trim()
}

function pageOf({ name }: Entry, head: string, things: readonly Thing[]): string {
  const contents = things.map((thing) => `[\`${thing.name}\`](#${thing.name.toLowerCase()})`)
  const chapters = things.map(
    ({ name, text, code }) => `## ${name}\n\n${text}\n\n\`\`\`ts\n${code.trim()}\n\`\`\`\n`,
  )
  const note = '<!-- Made by `npm run docs` from the comments in the sources. -->'
  return `# ${name}\n\n${note}\n\n${head}\n\n${contents.join(' ·\n')}\n\n${chapters.join('\n')}`
}

/** Writes the pages, and takes away those of entries that are no more. */
async function writeReference({ pages }: Reference): Promise<void> {
  for (const name of await readdir(FOLDER).catch(() => [])) {
    if (!pages.has(name)) await rm(join(FOLDER, name))
  }
  for (const [name, text] of pages) await writeFile(join(FOLDER, name), text)
}

if (import.meta.main) {
  const reference = await makeReference()
  await writeReference(reference)
  for (const name of reference.undocumented) process.stderr.write(`no comment: ${name}\n`)
  if (reference.undocumented.length > 0) process.exitCode = 1
}
