import type { SubgroupWriter } from './subgroup-writer.ts'

/**
 * The writers of a publication that are not over: a list whose links stand in the writers, so that a
 * stream that carries one object costs no entry anywhere.
 */
export class OpenWriters {
  private first: SubgroupWriter | null = null

  /** @param writer in no list */
  add(writer: SubgroupWriter): void {
    writer.nextOpen = this.first
    if (this.first) this.first.previousOpen = writer
    this.first = writer
  }

  /** @param writer in this list */
  delete(writer: SubgroupWriter): void {
    const { previousOpen, nextOpen } = writer
    if (previousOpen) previousOpen.nextOpen = nextOpen
    else this.first = nextOpen
    if (nextOpen) nextOpen.previousOpen = previousOpen
    writer.nextOpen = null
    writer.previousOpen = null
  }

  /** A copy: what is done with a writer may remove it. */
  list(): SubgroupWriter[] {
    const writers: SubgroupWriter[] = []
    for (let writer = this.first; writer; writer = writer.nextOpen) writers.push(writer)
    return writers
  }
}
