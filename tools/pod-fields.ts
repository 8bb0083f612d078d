/**
 * Writes what becomes of each field of a Pod, from the table in src/plan/pod/fields: docs/pod-fields.md as a
 * whole, and the short list in README.md. `node tools/pod-fields.ts` writes both; pod-fields.test.ts compares.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Effect, FieldRule } from '../src/plan/pod/fields/field-rule.ts';
import { FIELD_RULES } from '../src/plan/pod/fields/field-rules.ts';

/** The documents that hold the table, by their path. */
export const DOCUMENTS: readonly { readonly path: string; readonly render: (before: string) => string }[] = [
	{ path: pathOf('docs/pod-fields.md'), render: () => tableDocument() },
	{ path: pathOf('README.md'), render: withList },
];

function pathOf(name: string): string {
	return fileURLToPath(new URL(`../${name}`, import.meta.url));
}

/** The effects that keep a Pod from running as it asks, worst first. */
const SECTIONS: readonly { readonly effect: Effect; readonly title: string; readonly what: string }[] = [
	{ effect: 'refused', title: 'Refused', what: 'The API server refuses the Pod (403).' },
	{ effect: 'rejected', title: 'Rejected', what: 'The node agent fails the Pod, as a kubelet does.' },
	{ effect: 'unscheduled', title: 'Not scheduled', what: 'The Pod stays Pending.' },
	{
		effect: 'unmounted',
		title: 'Not mounted',
		what: 'No container is started: the event `FailedMount` says why.',
	},
	{
		effect: 'held',
		title: 'Held back',
		what: 'The container is not started: `CreateContainerConfigError`, with the field and what to do.',
	},
	{
		effect: 'dropped',
		title: 'Left out',
		what: 'The API server stores the object without it, as upstream does.',
	},
	{ effect: 'warned', title: 'Run without', what: 'The Pod runs, and the event `NotHonoured` says so.' },
];

function tableDocument(): string {
	const parts = SECTIONS.map(({ effect, title, what }) => {
		const rows = FIELD_RULES.filter((rule) => rule.effect === effect);
		const lines = rows.map((rule) => `| ${nameOf(rule)} | ${rule.because} | ${rule.instead ?? ''} |`);
		const table = ['| field | because | instead |', '|---|---|---|', ...new Set(lines)];
		return [`## ${title}`, '', what, '', ...table].join('\n');
	});
	const fine = FIELD_RULES.filter(({ effect }) => effect === 'honoured' || effect === 'harmless');
	const rest = [
		'## Honoured, or harmless',
		'',
		'| field | | why |',
		'|---|---|---|',
		...new Set(fine.map((rule) => `| \`${shortName(rule.field)}\` | ${rule.effect} | ${rule.because} |`)),
	];
	return `${[INTRODUCTION, ...parts, rest.join('\n')].join('\n\n')}\n`;
}

const INTRODUCTION = `# What becomes of each field of a Pod

A field is never accepted and then ignored in silence. This page is made from the table that decides it
(\`src/plan/pod/fields\`) by \`node tools/pod-fields.ts\`. It holds for the runtime \`process\`, whose containers are
processes of your machine; \`fake\` pretends everything but what only stint itself could do. A field may stand twice:
of its rows the first that applies decides. Creating a Pod, Job or CronJob whose Pods would not run as they ask
also gives a warning. Fields of a container hold for init containers too, and those of \`securityContext\` for the Pod's
and the container's.`;

const BEGIN = '<!-- made by tools/pod-fields.ts -->';
const END = '<!-- until here -->';

function withList(readme: string): string {
	const start = readme.indexOf(BEGIN);
	const end = readme.indexOf(END);
	if (start < 0 || end < start) throw new Error(`README.md has no ${BEGIN} ... ${END}`);
	return `${readme.slice(0, start + BEGIN.length)}\n\n${list()}\n\n${readme.slice(end)}`;
}

function list(): string {
	return SECTIONS.map(({ effect, title, what }) => {
		const rows: readonly FieldRule[] = FIELD_RULES.filter((rule) => rule.effect === effect);
		const names = new Set(rows.map(nameOf));
		return `- **${title}**: ${[...names].join(', ')}. ${what}`;
	}).join('\n');
}

/** The name with the values that the row is about. */
function nameOf({ field, only }: FieldRule): string {
	return `\`${shortName(field)}\`${only === undefined ? '' : ` (${only})`}`;
}

/** The name as the author of a Pod or container writes it. */
function shortName(field: string): string {
	return field.replace(/^spec\.(containers\[\]\.)?/, '');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	for (const { path, render } of DOCUMENTS) {
		const before = path.endsWith('README.md') ? readFileSync(path, 'utf8') : '';
		writeFileSync(path, render(before));
	}
}
