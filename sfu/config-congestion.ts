/** The settings of how the relay measures the paths to its subscribers. */

import { z } from 'zod'
import {
  type CongestionControl,
  DEFAULT_CONGESTION_CONTROL,
} from '../moq/transport/quiche/settings.ts'
import { type Option, rateOption } from './config-values.ts'
import { type BudgetOptions, DEFAULT_BUDGET } from './forward/budget/index.ts'

/** Rates are in bits a second. */
export interface CongestionSettings {
  /** Of the quiche engine; the others choose for themselves. */
  readonly congestionControl: CongestionControl
  readonly startRate: number
  readonly minRate: number
  readonly maxRate: number
  /** Whether padding is sent to find out whether a path carries more. */
  readonly probing: boolean
}

const GROUP = 'Congestion, of the path to a subscriber:'
const [LEAST, MOST] = ['10kbit', '10Gbit']
const onOff = z.enum(['on', 'off'], { error: 'must be on or off' })

export const congestionOptions: {
  readonly [Key in keyof CongestionSettings]: Option<CongestionSettings[Key]>
} = {
  startRate: rateOption(
    {
      flag: 'start-rate',
      help: 'bits a second that it is taken to carry at first',
      fallback: DEFAULT_BUDGET.initial,
      group: GROUP,
    },
    LEAST,
    MOST,
  ),
  minRate: rateOption(
    {
      flag: 'min-rate',
      help: 'it is never taken to carry less',
      fallback: DEFAULT_BUDGET.min,
      group: GROUP,
    },
    LEAST,
    MOST,
  ),
  maxRate: rateOption(
    {
      flag: 'max-rate',
      help: 'it is never taken to carry more; one that does is sent as much as it takes',
      fallback: DEFAULT_BUDGET.max,
      group: GROUP,
    },
    LEAST,
    MOST,
  ),
  congestionControl: {
    flag: 'congestion-control',
    value: '<name>',
    help: 'bbr, cubic or reno; of the quiche engine',
    group: GROUP,
    fallback: DEFAULT_CONGESTION_CONTROL,
    fallbackText: DEFAULT_CONGESTION_CONTROL,
    schema: z.enum(['bbr', 'cubic', 'reno'], { error: 'must be bbr, cubic or reno' }),
  },
  probing: {
    flag: 'probing',
    value: '<on|off>',
    help: 'send padding before more media, to see whether it arrives',
    group: GROUP,
    fallback: DEFAULT_BUDGET.probing,
    fallbackText: DEFAULT_BUDGET.probing ? 'on' : 'off',
    schema: onOff.transform((text) => text === 'on'),
  },
}

export function budgetOptionsOf(settings: CongestionSettings): BudgetOptions {
  const { startRate, minRate, maxRate, probing } = settings
  return { initial: startRate, min: minRate, max: maxRate, probing }
}
