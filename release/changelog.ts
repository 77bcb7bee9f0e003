/** What CHANGELOG.md says of a version. */
export interface ChangelogSection {
  /** Without `## `: `1.2.3 (2026-12-01)`. */
  readonly heading: string;
  readonly text: string;
}

/** The section of a version; undefined if there is none, or if it is empty. */
export function changelogSection(changelog: string, version: string): ChangelogSection | undefined {
  for (const section of changelog.split(/^## /m).slice(1)) {
    const [heading = '', ...lines] = section.split('\n');
    const text = lines.join('\n').trim();
    if (heading.split(' ')[0] === version && text !== '') return { heading, text };
  }
  return undefined;
}

/** The notes of a release: its section, whose links lead to the files of its tag, where it is known who shows them. */
export function releaseNotes({ text }: ChangelogSection, files: string | undefined): string {
  if (files === undefined) return `${text}\n`;
  return `${text.replaceAll(/\]\((?![a-z]+:|#)([^)\s]+)\)/g, (_, path: string) => `](${files}/${path})`)}\n`;
}
