import { summary } from '../../../reliability/own-app/summary';
import { scenario } from '../scenario';

const facts = {
  getPath: '/orders',
  postPath: '/baskets',
  rate: 100,
  backend: 'orders',
  proxy: 'nginx',
  image: 'ghcr.io/acme/orders:1.4.2',
  kubernetesVersion: '1.34.4',
  cores: 4,
  seconds: 290,
};

test('the table says what was lost of what, and of which system', () => {
  expect(summary([scenario(), scenario({ name: 'baseline', title: 'nothing | happens', recovery: undefined })], facts))
    .toBe(`### All was reached: 0 of 12,064 requests lost

| scenario | sent | lost | repeated | p99 ms | max ms | as before after | reached |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| Rollout of the API | 6,032 | 0 | 7 | 12 | 58 | 2.3 s | yes |
| nothing \\| happens | 6,032 | 0 | 7 | 12 | 58 | never | yes |

GET \`/orders\` and POST \`/baskets\`, 100 requests a second, half over HTTP/2, through two proxies \`nginx\` to four pods of \`orders\` (\`ghcr.io/acme/orders:1.4.2\`), on a kind cluster of three nodes with Kubernetes 1.34.4, all on one machine with 4 cores: 5 min.
`);
});

test('what was not reached stands above the table and below it', () => {
  const failed = scenario({
    answered: 6029,
    lostGet: 1,
    lostPostSent: 2,
    judgements: [
      { text: 'no request lost', reached: false },
      { text: 'as before within 8 s', reached: true },
    ],
  });
  const text = summary([failed], facts);
  expect(text).toMatch(/^### Not all was reached: 3 of 6,032 requests lost\n/);
  expect(text).toContain('| Rollout of the API | 6,032 | **3** | 7 | 12 | 58 | 2.3 s | **no** |\n\n');
  expect(text).toContain('\n- `rollout-api`: not reached: no request lost\n\nGET ');
  expect(text).not.toContain('as before within');
});
