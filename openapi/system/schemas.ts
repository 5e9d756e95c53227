import { type Static, Type } from '@sinclair/typebox'
import { component, oneOfWords } from '../contract.ts'
import { Timestamp } from '../shared/scalars.ts'

export const Health = component(
  'Health',
  Type.Object({
    status: oneOfWords(['healthy']),
    timestamp: Timestamp,
    uptimeSeconds: Type.Integer({ minimum: 0 }),
    environment: oneOfWords(['development', 'test', 'production']),
  }),
)
export type Health = Static<typeof Health>

export const Readiness = component(
  'Readiness',
  Type.Object({
    status: oneOfWords(['ready', 'not_ready']),
    timestamp: Timestamp,
    services: Type.Object({ database: oneOfWords(['up', 'down']), jobs: oneOfWords(['up', 'down']) }, { description: 'Each dependency' }),
  }),
)
export type Readiness = Static<typeof Readiness>
