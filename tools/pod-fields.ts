/**
 * Documents the support for each field of a Pod, from the table in src/plan/pod/fields: generates
 * docs/pod-fields.md, and the short list in README.md. `node tools/pod-fields.ts` writes both files, and
 * pod-fields.test.ts fails if they do not match the table.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Effect, FieldRule } from '../src/plan/pod/fields/field-rule.ts';
import { FIELD_RULES, isSkipped } from '../src/plan/pod/fields/field-rules.ts';
import { shortName } from '../src/plan/pod/fields/unsupported-fields.ts';
import { HONOURED, type HostLevel } from '../src/runtime/process/honoured.ts';

/** The generated documents by path. `render` returns the new text, given the old one. */
export const DOCUMENTS: readonly { readonly path: string; readonly render: (before: string) => string }[] = [
	{ path: pathOf('docs/pod-fields.md'), render: () => tableDocument() },
	{ path: pathOf('README.md'), render: withList },
];

function pathOf(name: string): string {
	return fileURLToPath(new URL(`../${name}`, import.meta.url));
}

/** The effects with which a Pod does not run as specified, most severe first. */
const SECTIONS: readonly { readonly effect: Effect; readonly title: string; readonly what: string }[] = [
	{ effect: 'rejected', title: 'Rejected', what: 'The node agent fails the Pod, as a kubelet does.' },
	{ effect: 'unscheduled', title: 'Not scheduled', what: 'The Pod stays Pending.' },
	{
		effect: 'unmounted',
		title: 'Not mounted',
		what: 'No container is started; the event `FailedMount` contains the reason.',
	},
	{
		effect: 'held',
		title: 'Held back',
		what: 'The container is not started; its reason is `CreateContainerConfigError`, with the field and a remedy.',
	},
	{
		effect: 'dropped',
		title: 'Stored without it',
		what: 'The API server stores the object without the field, as upstream does.',
	},
	{
		effect: 'warned',
		title: 'Run without it',
		what: 'The Pod runs, and the event `NotHonoured` reports that.',
	},
];

/** Where containers can be isolated, with the words for it; the first allows most. */
const LEVELS: readonly { readonly level: HostLevel; readonly where: string }[] = [
	{ level: 'root', where: 'root' },
	{ level: 'user', where: 'user' },
	{ level: 'none', where: 'none' },
];

/** The levels on which the row applies; empty for all of them. */
function whereOf(rule: FieldRule): string {
	const found = LEVELS.filter(({ level }) => !isSkipped(rule, { honours: HONOURED[level] }));
	return found.length === LEVELS.length ? '' : found.map(({ where }) => where).join(', ');
}

/** The rows with this effect that apply to the runtime `process` somewhere. */
function rowsOf(effect: Effect): readonly FieldRule[] {
	return FIELD_RULES.filter(
		(rule) =>
			rule.effect === effect && LEVELS.some(({ level }) => !isSkipped(rule, { honours: HONOURED[level] })),
	);
}

function tableDocument(): string {
	const parts = SECTIONS.map(({ effect, title, what }) => {
		const lines = rowsOf(effect).map(
			(rule) => `| ${nameOf(rule)} | ${whereOf(rule)} | ${rule.because} | ${rule.instead ?? ''} |`,
		);
		const table = ['| field | only | because | instead |', '|---|---|---|---|', ...new Set(lines)];
		return [`## ${title}`, '', what, '', ...table].join('\n');
	});
	const fine = FIELD_RULES.filter(({ effect }) => effect === 'honoured' || effect === 'harmless');
	const rest = [
		'## Honoured, or harmless',
		'',
		'| field | | why |',
		'|---|---|---|',
		...new Set(fine.map((rule) => `| \`${shortName(rule)}\` | ${rule.effect} | ${rule.because} |`)),
	];
	return `${[INTRODUCTION, ...parts, rest.join('\n')].join('\n\n')}\n`;
}

const INTRODUCTION = `# Support for each field of a Pod

stint never ignores a field without a message. \`node tools/pod-fields.ts\` generates this page from the table in
\`src/plan/pod/fields\`, which the program itself uses. The page describes the runtime \`process\`, whose containers are
processes of your machine; the runtime \`fake\` simulates all fields that a runtime implements. A field may have several
rows; the first that applies decides. The API server also returns a warning when you create a Pod, Job or CronJob whose
Pods would not run as specified.

What is possible depends on the machine, and the column *only* names where a row applies:

- *root*: stint runs as root, and containers get namespaces of their own (a Linux machine).
- *user*: stint runs as an ordinary user, and containers get user namespaces.
- *none*: the machine allows neither, such as macOS or many containers. \`stint server\` then starts containers as plain
  processes.

The fields of a container apply to init containers too, and those of
\`securityContext\` to the Pod and to its containers.`;

const BEGIN = '<!-- made by tools/pod-fields.ts -->';
const END = '<!-- until here -->';

function withList(readme: string): string {
	const start = readme.indexOf(BEGIN);
	const end = readme.indexOf(END);
	if (start < 0 || end < start) throw new Error(`README.md has no ${BEGIN} ... ${END}`);
	return `${readme.slice(0, start + BEGIN.length)}\n\n${list()}\n\n${readme.slice(end)}`;
}

/** The rows of each effect: those that apply everywhere first, then what a machine that allows less adds. */
function list(): string {
	return SECTIONS.map(({ effect, title, what }) => {
		const groups = Map.groupBy(rowsOf(effect), whereOf);
		const others = groups.keys().find((where) => !(where in PREFACES));
		if (others !== undefined) throw new Error(`fields that apply to ${others} have no place in the list`);
		const parts = Object.entries(PREFACES).flatMap(([where, preface]) => {
			const names = new Set((groups.get(where) ?? []).map(nameOf));
			return names.size > 0 ? [`${preface}${[...names].join(', ')}.`] : [];
		});
		return `- **${title}**: ${parts.join(' ')} ${what}`;
	}).join('\n');
}

/** By where rows apply, in the order of the list. */
const PREFACES: Readonly<Record<string, string>> = {
	'': '',
	'user, none': 'Unless stint runs as root: ',
	user: 'As an ordinary user whose containers are isolated: ',
	none: 'Where containers cannot be isolated: ',
	'root, user': 'Where they are isolated: ',
};

/** The name of the field, with the values to which the row applies. */
function nameOf(rule: FieldRule): string {
	return `\`${shortName(rule)}\`${rule.only === undefined ? '' : ` (${rule.only})`}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	for (const { path, render } of DOCUMENTS) {
		const before = path.endsWith('README.md') ? readFileSync(path, 'utf8') : '';
		writeFileSync(path, render(before));
	}
}
