/** For tests by vitest: a relay with a delivery service, and members of a group who need real time to compute. */

import { RelayWorld } from '../relay/test-world.ts'
import { DeliveryEndpoint } from './endpoint.ts'

const STEP_MS = 50

/** Something that settles when it has nothing under way. */
export interface Busy {
  idle(): Promise<void>
}

/** The crypto of members takes real time, in which the clock stands. */
export class MembersWorld<Member extends Busy> {
  readonly world = new RelayWorld()
  readonly members: Member[] = []

  constructor() {
    new DeliveryEndpoint({
      transport: this.world.connect(true),
      clock: this.world.clock,
      wallClock: () => this.now(),
    })
  }

  /** ms since 1970. */
  now(): number {
    return Date.UTC(2030, 0, 1) + this.world.clock.now()
  }

  async add(member: Member): Promise<Member> {
    this.members.push(member)
    await this.run(2000)
    return member
  }

  async run(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      this.world.clock.advance(STEP_MS)
      for (let round = 0; round < 3; round++) {
        await this.world.settle()
        await Promise.all(this.members.map((member) => member.idle()))
      }
    }
  }
}
