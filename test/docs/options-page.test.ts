import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { certificateOptions } from '../../charts/certificate';
import { containerOptions } from '../../charts/container';
import { clusterOptions, knownProps } from '../../charts/model';
import { proxyPodsOptions } from '../../charts/proxy-pods';
import { proxyServiceOptions } from '../../charts/proxy-service';
import { replicasOptions } from '../../charts/replicas';
import { documentedDefaults, optionsPage } from '../../docs/options-page';
import { budgetOptions } from '../../model/budget';
import { timelineOptions } from '../../model/timeline';
import { proxyOptions } from '../../nginx/model';
import type { Option } from '../../validation/options';

const tables: Readonly<Record<string, Readonly<Record<string, Option<unknown>>>>> = {
  ContainerProps: containerOptions,
  ReplicasProps: replicasOptions,
  ProxyPodsProps: proxyPodsOptions,
  ProxyServiceProps: proxyServiceOptions,
  CertificateProps: certificateOptions,
  ProxyOptions: proxyOptions,
  TimelineProps: timelineOptions,
  BudgetProps: budgetOptions,
  ClusterProps: clusterOptions,
};

test('docs/options.md says what the sources say (npm run docs:options)', () => {
  expect(readFileSync(resolve(__dirname, '../../docs/options.md'), 'utf8')).toBe(optionsPage());
});

test('every option is on the page', () => {
  for (const option of knownProps.filter((name) => name !== 'container'))
    expect(optionsPage()).toContain(`### \`${option}\``);
});

/** The value that `@default` begins with; nothing where it says in words what follows from what. */
function literal(written: string | undefined): unknown {
  const [, text, number] = /^(?:'([^']*)'|(\d+)\b)/.exec(written ?? '') ?? [];
  if (text !== undefined) return text;
  if (number !== undefined) return Number(number);
  const quoted = /^"([^"]*)"/.exec(written ?? '')?.[1];
  return quoted ?? { true: true, false: false }[written ?? ''];
}

test('what @default says is what the option is without being given', () => {
  /** Of these the default follows from another option: its value stands where that is known. */
  const following = [
    ...['cpuRequest', 'cpuLimit', 'memoryRequest', 'memoryLimit'],
    ...['minReplicas', 'maxReplicas', 'targetCpuUtilization'],
    ...['proxyMinReplicas', 'proxyMaxReplicas', 'proxyTargetCpuUtilization'],
    ...['proxyCpuRequest', 'proxyCpuLimit', 'proxyMemoryRequest', 'hstsMaxAge', 'externalTrafficPolicy'],
  ];
  const undocumented: string[] = [];
  for (const [table, option, written] of documentedDefaults()) {
    const byDefault = tables[table]?.[option]?.default;
    const documented = literal(written);
    if (documented !== undefined && byDefault === undefined) {
      expect(following).toContain(option);
    } else if (documented === undefined && byDefault !== undefined && byDefault !== null) {
      // `- none` is an empty list or object.
      if (Object.keys(byDefault).length > 0) undocumented.push(option);
    } else {
      expect([option, documented]).toEqual([option, byDefault]);
    }
  }
  // The networks of unlimitedClients are listed in words.
  expect(undocumented).toEqual(['unlimitedClients']);
});
