import { globSync, readFileSync } from 'node:fs'

const maxLines = 300

export function longFiles(): string[] {
  const files = globSync('{openapi,scripts,sdk/examples,sdk/scripts,sdk/src,src}/**/*.ts').filter((path) => !path.includes('/generated/'))
  return files.flatMap((path) => {
    const lines = readFileSync(path, 'utf8').split('\n').length - 1
    return lines > maxLines ? [`${path} has ${lines} lines; ${maxLines} are allowed`] : []
  })
}
