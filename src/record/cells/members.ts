import * as SchemaAST from "effect/SchemaAST"

/** What a union is one of, that of unions within it too. */
export const bareMembersOf = (ast: SchemaAST.AST): ReadonlyArray<SchemaAST.AST> =>
  SchemaAST.isUnion(ast) && isBare(ast) ? ast.types.flatMap(bareMembersOf) : [ast]

export const isEmptyType = (ast: SchemaAST.AST): boolean =>
  (SchemaAST.isNull(ast) || SchemaAST.isUndefined(ast)) && isBare(ast)

/** The texts of a union of text literals and enums of texts, apart from null and undefined. */
export const textLiterals = (asts: ReadonlyArray<SchemaAST.AST>): ReadonlyArray<string> | undefined => {
  const types = asts.filter((ast) => !isEmptyType(ast))
  const values = types.flatMap((ast): ReadonlyArray<unknown> => {
    if (!isBare(ast)) return [undefined]
    return SchemaAST.isLiteral(ast)
      ? [ast.literal]
      : SchemaAST.isEnum(ast)
        ? ast.enums.map(([, value]) => value)
        : [undefined]
  })
  return values.every((value) => typeof value === "string") ? values : undefined
}

/** Whether a type is just itself: no transformation, no checks. */
export const isBare = (ast: SchemaAST.AST): boolean =>
  ast.encoding === undefined && ast.checks === undefined && !hasEncodingChecks(ast)

export const hasEncodingChecks = (ast: SchemaAST.AST): boolean =>
  "encodingChecks" in ast && ast.encodingChecks !== undefined
