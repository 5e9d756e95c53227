/** Components → TypeScript. openapi-typescript writes one interface that holds them all; each is taken out of it under its own name. */
import openapiTypescript, { astToString } from 'openapi-typescript'
import ts from 'typescript'
import type { Schema } from './operations.ts'

export async function writeTypes(schemas: Record<string, Schema>): Promise<string> {
  // Every member of a union says its `type` itself; a discriminator would only add comments.
  const plain = Object.fromEntries(Object.entries(schemas).map(([name, { discriminator: _, ...schema }]) => [name, schema]))
  const document = { openapi: '3.1.0', info: { title: '', version: '' }, paths: {}, components: { schemas: plain } }
  const nodes = await openapiTypescript(JSON.stringify(document), {
    defaultNonNullable: false,
    // Of a file without a bound the server reads no more than it must: it may come from anywhere.
    transform: (schema) => (schema.format === 'binary' ? ('maxLength' in schema ? blob : uploadable) : undefined),
  })
  const types = componentsIn(nodes).map((member) => tidy(astToString(declaration(member))))
  return ["import type { Uploadable } from '../form.ts'\n", ...types].join('\n')
}

const blob = ts.factory.createTypeReferenceNode('Blob')
const uploadable = ts.factory.createTypeReferenceNode('Uploadable')

/** References by name; comments that hold the description alone. */
const tidy = (source: string) =>
  source
    .replace(/components\["schemas"\]\["(\w+)"\]/g, '$1')
    .replace(/^ *\/\*\* @enum \{string\} \*\/\n/gm, '')
    .replace(/^ *\* @enum \{string\}\n/gm, '')
    .replace(/@description /g, '')

function componentsIn(nodes: ts.Node[]): ts.PropertySignature[] {
  const components = nodes.filter(ts.isInterfaceDeclaration).find(({ name }) => name.text === 'components')
  const schemas = components?.members.filter(ts.isPropertySignature).find(({ name }) => nameOf(name) === 'schemas')
  if (!schemas?.type || !ts.isTypeLiteralNode(schemas.type)) throw new Error('openapi-typescript wrote no components')
  return schemas.type.members.filter(ts.isPropertySignature)
}

function declaration(member: ts.PropertySignature): ts.Statement {
  const { type } = member
  if (!type) throw new Error(`${nameOf(member.name)} has no type`)
  const exported = [ts.factory.createModifier(ts.SyntaxKind.ExportKeyword)]
  const statement = ts.isTypeLiteralNode(type)
    ? ts.factory.createInterfaceDeclaration(exported, nameOf(member.name), undefined, undefined, type.members)
    : ts.factory.createTypeAliasDeclaration(exported, nameOf(member.name), undefined, type)
  return ts.setSyntheticLeadingComments(statement, ts.getSyntheticLeadingComments(member))
}

function nameOf(name: ts.PropertyName): string {
  if (ts.isIdentifier(name) || ts.isStringLiteral(name)) return name.text
  throw new Error('A component has a computed name')
}
