/**
 * Files and functions that have grown too long to be read at once. A factory that returns functions counts without them:
 * `createMessageService` may hold as many as it needs, each of them within the bound.
 */
import { globSync, readFileSync } from 'node:fs'
import ts from 'typescript'

const maxFileLines = 300
const maxFunctionLines = 50

export function sizeProblems(): string[] {
  const files = globSync('{openapi,scripts,sdk/examples,sdk/scripts,sdk/src,src}/**/*.ts').filter((path) => !path.includes('/generated/'))
  return files.flatMap((path) => fileProblems(path, readFileSync(path, 'utf8')))
}

export function fileProblems(path: string, text: string): string[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest)
  const lines = text.trimEnd().split('\n').length
  return [...(lines > maxFileLines ? [`${path} has ${lines} lines; ${maxFileLines} are allowed`] : []), ...functionProblems(path, source)]
}

function functionProblems(path: string, source: ts.SourceFile): string[] {
  const problems: string[] = []
  const lineOf = (position: number) => source.getLineAndCharacterOfPosition(position).line

  /** @returns how many lines functions within this node take */
  const visit = (node: ts.Node): number => {
    let within = 0
    ts.forEachChild(node, (child) => {
      within += visit(child)
    })
    if (!ts.isFunctionLike(node)) return within
    const all = lineOf(node.end) - lineOf(node.getStart(source)) + 1
    if (all - within > maxFunctionLines) {
      problems.push(`${path}:${lineOf(node.getStart(source)) + 1} is a function of ${all - within} lines; ${maxFunctionLines} are allowed`)
    }
    return all
  }

  visit(source)
  return problems
}
