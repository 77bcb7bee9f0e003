import js from '@eslint/js';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  {
    ignores: [
      '.fairlead/',
      'dist/',
      '**/lib/',
      'coverage/',
      'reports/',
      '.stryker-tmp/',
      'examples/web/',
      'test/create/apps/',
      '**/.vitepress/{cache,dist}/',
      '**/node_modules/',
    ],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // Constructs are made for what they add to their scope.
      'no-new': 'off',
    },
  },
  {
    files: ['**/*.{mjs,cjs}'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } },
  },
  {
    files: ['dashboard/page/*.mjs'],
    languageOptions: {
      globals: Object.fromEntries(
        ['clearTimeout', 'devicePixelRatio', 'document', 'EventSource', 'fetch', 'getComputedStyle', 'matchMedia']
          .concat(['ResizeObserver', 'setTimeout', 'URLSearchParams', 'history', 'location'])
          .map((name) => [name, 'readonly']),
      ),
    },
  },
);
