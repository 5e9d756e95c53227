/** From the start of the process to the first 200 of `GET /ready`, on the PostgreSQL that comes with it: on an empty folder, and again. */
import { median } from '../load/slices.ts'
import { type Section, stateFigure } from '../row.ts'
import type { Setting } from '../setting.ts'
import { realLife } from '../target.ts'

export async function measureStart({ pace, stage }: Setting): Promise<Section> {
  const start = async (): Promise<number> => {
    const server = await stage.startServer({ name: 'start', script: 'src/main.ts', env: { ...realLife, DATA_DIR: `${stage.folder}/start` } })
    await server.stop()
    return server.secondsToReady
  }
  const first = await start()
  const again: number[] = []
  for (let round = 0; round < pace.rounds; round += 1) again.push(await start())
  return { rows: [stateFigure('start to ready, first time', 's', first, { most: 10 }), stateFigure('start to ready, again', 's', median(again), { most: 3 })] }
}
