import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';

const root = resolve(__dirname, '..');

/** The interfaces whose members are the options, in the order of the page. */
const sources: readonly (readonly [title: string, file: string, interfaceName: string])[] = [
  ['Container of the API (`container: { … }`)', 'charts/container.ts', 'ContainerProps'],
  ['Replicas of the API', 'charts/replicas.ts', 'ReplicasProps'],
  ['Proxies', 'charts/proxy-pods.ts', 'ProxyPodsProps'],
  ['Service of the proxies', 'charts/proxy-service.ts', 'ProxyServiceProps'],
  ['Certificate', 'charts/certificate.ts', 'CertificateProps'],
  ['Hosts, balancing, limits and headers', 'nginx/proxy.ts', 'ProxyOptions'],
  ['Time', 'model/timeline.ts', 'TimelineProps'],
  ['How much one proxy takes on', 'model/budget.ts', 'BudgetProps'],
  ['Cluster', 'charts/load-balanced-api-props.ts', 'ClusterProps'],
];

/** docs/options.md, made from the documentation that editors show. */
export function optionsPage(): string {
  const sections = sources.map(([title, file, interfaceName]) => section(title, file, interfaceName));
  return `# Options of \`LoadBalancedApi\`

Made from the sources by \`npm run docs:options\`. All but \`container.image\` have a default.

${sections.join('\n')}`;
}

/** What `@default` says of each option, by interface. */
export function documentedDefaults(): readonly (readonly [
  interfaceName: string,
  option: string,
  byDefault: string | undefined,
])[] {
  return sources.flatMap(([, file, interfaceName]) =>
    members(file, interfaceName).map(
      (member) => [interfaceName, member.name.getText(), tag(member, 'default')] as const,
    ),
  );
}

function section(title: string, file: string, interfaceName: string): string {
  return `## ${title}\n\n${members(file, interfaceName).map(option).join('\n')}`;
}

function members(file: string, interfaceName: string): readonly ts.PropertySignature[] {
  const source = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest, true);
  const declaration = source.statements.find(
    (statement): statement is ts.InterfaceDeclaration =>
      ts.isInterfaceDeclaration(statement) && statement.name.text === interfaceName,
  );
  if (declaration === undefined) throw new Error(`${file} has no interface ${interfaceName}`);
  const all = declaration.members.filter(ts.isPropertySignature);
  // keepAliveTimeout is the container's: it says what the API does.
  return interfaceName === 'TimelineProps' ? all.filter(({ name }) => name.getText() !== 'keepAliveTimeout') : all;
}

function tag(member: ts.PropertySignature, name: string): string | undefined {
  const [documentation] = ts.getJSDocCommentsAndTags(member).filter(ts.isJSDoc);
  const found = documentation?.tags?.find(({ tagName }) => tagName.text === name);
  // A URL in @see is parsed as a name and the rest of its text.
  const written = found
    ?.getText()
    .replace(/^@\w+\s+/, '')
    .replaceAll(/\s*\n\s*\*\s*/g, ' ');
  return written?.trim();
}

function option(member: ts.PropertySignature): string {
  const [documentation] = ts.getJSDocCommentsAndTags(member).filter(ts.isJSDoc);
  const text = ts.getTextOfJSDocComment(documentation?.comment)?.replaceAll(/\s+/g, ' ') ?? '';
  const type = (member.type?.getText() ?? '').replaceAll(/\breadonly /g, '').replaceAll(/\s+/g, ' ');
  const byDefault = tag(member, 'default');
  const see = tag(member, 'see');
  return [
    `### \`${member.name.getText()}\``,
    '',
    `\`${type}\`${byDefault === undefined ? ', required' : ''}`,
    '',
    text,
    '',
    ...(byDefault === undefined ? [] : [`Default: ${defaultText(byDefault)}`, '']),
    ...(see === undefined ? [] : [`See <${see}>`, '']),
  ].join('\n');
}

/** `- a sentence`, a value, or a value and what there is to say about it. */
function defaultText(written: string): string {
  if (written.startsWith('- ')) return written.slice(2);
  const [, value = written, rest = ''] = /^('[^']*'|"[^"]*"|\[.*?\]|[^\s,]+)(.*)$/s.exec(written) ?? [];
  return `\`${value}\`${rest}`;
}

if (require.main === module) writeFileSync(join(root, 'docs/options.md'), optionsPage());
