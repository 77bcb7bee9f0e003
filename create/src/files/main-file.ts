import { relative, sep } from 'node:path';
import type { HealthCheck } from '../app/health-check';
import type { LocalProgram, Project } from '../project';
import { key, listLiteral, literal } from './literals';

/** What is deployed: `main.ts`, or `main.js`. */
export function mainFile(project: Project): string {
  const { name, host, image, port, healthCheck, keepAliveTimeout, user, local, language } = project;
  const imports =
    language === 'typescript'
      ? ["import { App } from 'cdk8s';", "import { LoadBalancedApi } from 'fairlead';"]
      : ["const { App } = require('cdk8s');", "const { LoadBalancedApi } = require('fairlead');"];
  return [
    ...imports,
    '',
    'const app = new App();',
    "// Self-signed until `certificate` says otherwise, such as Certificate.fromCertManager({ clusterIssuer: 'letsencrypt' }).",
    `new LoadBalancedApi(app, ${literal(name)}, {`,
    `  image: ${literal(image)},`,
    `  host: ${literal(host)},`,
    ...(port === undefined ? [] : [`  port: ${port},`]),
    ...(healthCheck === undefined ? [] : [`  healthCheck: ${healthCheckLiteral(healthCheck)},`]),
    ...(keepAliveTimeout === undefined ? [] : [`  keepAliveTimeout: ${literal(keepAliveTimeout)},`]),
    '  replicas: { min: 3, max: 12 },',
    ...(user === undefined ? [] : [`  pods: { user: ${user} },`]),
    ...(local === undefined ? [] : localLines(local, project)),
    '});',
    'app.synth();',
    '',
  ].join('\n');
}

function healthCheckLiteral({ path, liveness, readiness }: HealthCheck): string {
  if (liveness === undefined && readiness === undefined) return literal(path);
  const parts = { path, liveness, readiness };
  const given = Object.entries(parts).filter((part): part is [string, string] => part[1] !== undefined);
  return `{ ${given.map(([name, value]) => `${name}: ${literal(value)}`).join(', ')} }`;
}

/** In one line if that is not too long. */
function localLines({ command, isOfTheApp, environment }: LocalProgram, { place }: Project): string[] {
  const directory =
    isOfTheApp && place.app !== undefined ? relative(place.directory, place.app).split(sep).join('/') : undefined;
  const variables = Object.entries(environment).map(([name, value]) => `${key(name)}: ${literal(value)}`);
  const parts = [
    `command: ${listLiteral(command)}`,
    ...(directory === undefined ? [] : [`directory: ${literal(directory)}`]),
    ...(variables.length === 0 ? [] : [`environment: { ${variables.join(', ')} }`]),
  ];
  const line = `  local: { ${parts.join(', ')} },`;
  return line.length <= 120 ? [line] : ['  local: {', ...parts.map((part) => `    ${part},`), '  },'];
}

/** What answers on this machine until there is an app. */
export const standInFile = `// Stands in for the image where npm start runs, until local.command of main.ts or main.js names your own program.
const { createServer } = require('node:http');

const { HOST, HOSTNAME, PORT } = process.env;
createServer((request, response) => {
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify({ status: 'ok', hostname: HOSTNAME, path: request.url }));
}).listen(PORT, HOST);
`;
