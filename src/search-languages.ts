/** What PostgreSQL comes with since version 15. `simple` is none: words are found as they are written. */
export const searchLanguages = [
  ...(['simple', 'arabic', 'armenian', 'basque', 'catalan', 'danish', 'dutch', 'english', 'finnish', 'french', 'german', 'greek', 'hindi'] as const),
  ...(['hungarian', 'indonesian', 'irish', 'italian', 'lithuanian', 'nepali', 'norwegian', 'portuguese', 'romanian', 'russian', 'serbian'] as const),
  ...(['spanish', 'swedish', 'tamil', 'turkish', 'yiddish'] as const),
] as const

export type SearchLanguage = (typeof searchLanguages)[number]
