import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts", "examples/**/*.test.ts"],
    typecheck: { enabled: true, include: ["test/**/*.test-d.ts"], tsconfig: "./tsconfig.json" },
    testTimeout: 30_000,
    // one less than there are cores is what vitest takes otherwise: on two cores, one
    maxWorkers: 2,
    coverage: {
      include: ["src/**/*.ts"],
      // the command runs in processes of its own, which are not counted: test/org/main.test.ts
      exclude: ["src/org/bin.ts", "src/org/main.ts"],
      reporter: ["text-summary", "html"],
      thresholds: { statements: 98.8, branches: 97, functions: 98.7, lines: 99.2 }
    }
  }
})
