import { type Framework } from '../app/app';
import { defaultHealthCheckPath, type Project } from '../project';

/** How each framework learns who asks, behind a proxy. */
const trust: Readonly<Record<Framework, string>> = {
  express: "`app.set('trust proxy', 1)` before the first middleware",
  nest: "`app.set('trust proxy', 1)` of `NestFactory.create<NestExpressApplication>(…)`, or `new FastifyAdapter({ trustProxy: 1 })`",
  fastify: '`fastify({ trustProxy: 1 })`',
  koa: '`new Koa({ proxy: true, maxIpsCount: 1 })`',
  http: 'the header `X-Forwarded-For`, which nginx writes itself',
};

/** What whoever finds the folder needs to know. */
export function readmeFile(project: Project, framework: Framework | undefined): string {
  const { name, language, healthCheck, hasDockerfile } = project;
  const main = language === 'typescript' ? 'main.ts' : 'main.js';
  const start = language === 'typescript' ? 'npx fairlead start' : `npx fairlead start --main ${main}`;
  const path = healthCheck?.path ?? defaultHealthCheckPath;
  return `# ${name} on Kubernetes

\`${main}\` says what is deployed: the API behind nginx with TLS, autoscaling, disruption budgets and network policies. It is made with
[fairlead](https://www.npmjs.com/package/fairlead) and [cdk8s](https://cdk8s.io).

\`\`\`sh
npm install
npm start                  # the same on this machine: https://localhost:8443${path}
npm test
npm run synth              # manifests in dist/: read them
kubectl apply -f dist/
\`\`\`

- Commit \`package-lock.json\`: the workflow installs what it says.
- \`npm start\` is \`${start}\`; \`npm start -- --scale 5\` runs five instances, \`npm start -- --help\` says what else.
- \`dist/\` has the private key of the self-signed certificate, so git ignores it. For clients that you do not know give \`certificate\`:
  \`Certificate.fromSecret('…')\`, \`Certificate.fromCertManager({ clusterIssuer: '…' })\` or \`Certificate.fromFiles({ … })\`.
- The API sees nginx as its client until it is told to believe one proxy: ${framework === undefined ? 'your framework has a setting for that' : trust[framework]}.
- \`npm install fairlead-serve\` in the app, and \`serve(app)\` in place of \`listen\`, let it end without losing a request that it has already got.
${hasDockerfile ? rollout : ''}`;
}

const rollout = `- The workflow rolls the API of each pull request out under load, on a kind cluster of the job, and counts every request. Give it paths that
  clients ask, and the manifests that the API needs (\`--apply\`); it does the same on your machine.
`;
