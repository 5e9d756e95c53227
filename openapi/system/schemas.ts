import { type Static, Type } from '@sinclair/typebox'
import { component, described, oneOfWords } from '../contract.ts'
import { Timestamp } from '../shared/scalars.ts'

const asked = described(Timestamp, 'When this was asked: ISO 8601, UTC, milliseconds')
const upOrDown = (description: string) => oneOfWords(['up', 'down'], { description })

export const Health = component(
  'Health',
  Type.Object(
    {
      status: oneOfWords(['healthy'], { description: 'Always this word: a process that is not healthy does not answer' }),
      timestamp: asked,
      uptimeSeconds: Type.Integer({ minimum: 0, description: 'How long the process has been running' }),
      environment: oneOfWords(['development', 'test', 'production'], { description: '`NODE_ENV` of the server' }),
    },
    { description: 'A process that is alive' },
  ),
)
export type Health = Static<typeof Health>

export const Readiness = component(
  'Readiness',
  Type.Object(
    {
      status: oneOfWords(['ready', 'not_ready'], { description: '`ready` when the server can do its work: the database and the jobs are up' }),
      timestamp: asked,
      services: Type.Object(
        {
          database: upOrDown('PostgreSQL'),
          jobs: upOrDown('What does the work that outlives its request, such as mail'),
          bus: upOrDown(
            'What processes tell each other over: live events by PostgreSQL or Redis, and revocations, blocks and presence by PostgreSQL. While it is down these arrive some seconds later',
          ),
          storage: upOrDown('What keeps files: the disk or S3. While it is down files can neither be uploaded nor read'),
        },
        { description: 'Each dependency' },
      ),
    },
    { description: 'Whether the server can do its work' },
  ),
)
export type Readiness = Static<typeof Readiness>
