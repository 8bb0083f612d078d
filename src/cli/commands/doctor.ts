import { type Diagnosis, diagnose } from '../../plan/doctor/diagnose.ts';
import type { MachineFacts } from '../../plan/doctor/facts.ts';
import type { MachineFinding } from '../../plan/doctor/finding.ts';
import type { Effect } from '../../plan/pod/fields/field-rule.ts';
import type { FieldSupport } from '../../plan/pod/fields/unsupported-fields.ts';
import { type CliContext, CommandError } from '../context.ts';
import { toJson } from '../print/json.ts';
import { unknownForm } from '../print/output-form.ts';
import { toYaml } from '../print/yaml.ts';

/** The flags of `doctor`. */
export interface DoctorFlags {
	readonly dataDir?: string;
	readonly port?: string;
	readonly output?: string;
}

/**
 * `stint doctor`: prints what this machine allows Pods to be. Resolves to the exit code: 0 if Jobs can run here, 1 if they
 * cannot at all.
 */
export async function doctor(context: CliContext, flags: DoctorFlags): Promise<number> {
	const { dataDir, output = '', port = '6443' } = flags;
	if (!['', 'json', 'yaml'].includes(output)) throw unknownForm(output, ['json', 'yaml']);
	if (dataDir === '') throw new CommandError('--data-dir: must not be empty');
	if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535)
		throw new CommandError(`--port: must be a whole number from 0 to 65535, not "${port}"`);
	const facts = await context.inspectMachine({ dataDir, port: Number(port) });
	const diagnosis = diagnose(facts);
	if (output === 'json') context.stdout.write(toJson(diagnosis));
	else if (output === 'yaml') context.stdout.write(toYaml(diagnosis));
	// Escapes come from this command alone: names of files and users are printed without control characters.
	else for (const line of linesOf(diagnosis, facts)) printLine(context, line);
	return diagnosis.canRunJobs ? 0 : 1;
}

/** A line, and the colour of its first character. */
interface Line {
	readonly mark?: keyof typeof MARKS;
	readonly text: string;
}

const MARKS = { ok: '✓', limited: '!', blocked: '✗' } as const;
/** ANSI colours: green, yellow, red. */
const COLOURS = { ok: 32, limited: 33, blocked: 31 } as const;

function printLine({ stdout, colour }: CliContext, { mark, text }: Line): void {
	if (mark !== undefined) {
		stdout.write(colour ? `\u001b[${COLOURS[mark]}m${MARKS[mark]}\u001b[0m ` : `${MARKS[mark]} `);
	}
	stdout.print(`${text}\n`);
}

function* linesOf({ canRunJobs, findings, fields }: Diagnosis, facts: MachineFacts): Iterable<Line> {
	const width = Math.max(...findings.map(({ title }) => title.length)) + 2;
	for (const finding of findings) yield* findingLines(finding, width);
	yield { text: '' };
	yield* fieldLines(fields);
	const { platform, architecture, userName } = facts.system;
	const where = `on this machine (${platform}, ${architecture}) as ${userName}`;
	yield canRunJobs
		? { mark: 'ok', text: `Jobs can run ${where}.` }
		: { mark: 'blocked', text: `Jobs cannot run ${where}.` };
}

function* findingLines(
	{ status, title, found, because, fix = [] }: MachineFinding,
	width: number,
): Iterable<Line> {
	yield { mark: status, text: `${title.padEnd(width)}${found}` };
	const indent = ' '.repeat(width + 2);
	if (because !== undefined) yield { text: `${indent}because ${because}` };
	for (const line of fix) yield { text: `${indent}to change it: ${line}` };
}

/** What happens to a Pod with fields that are not honoured. */
const CONSEQUENCES: readonly (readonly [Effect, string])[] = [
	['rejected', 'the Pod fails'],
	['unscheduled', 'the Pod stays Pending'],
	['unmounted', 'no container starts'],
	['held', 'the container does not start'],
	['dropped', 'the object is stored without the field'],
	['warned', 'the Pod runs without it, with a warning'],
];

function* fieldLines(fields: readonly FieldSupport[]): Iterable<Line> {
	yield {
		text: 'Fields of Pods that the runtime process does not honour here (docs/pod-fields.md has reasons and alternatives):',
	};
	for (const [effect, consequence] of CONSEQUENCES) {
		const names = new Set(fields.filter((each) => each.effect === effect).map(nameOf));
		if (names.size > 0) yield { text: `  ${consequence}: ${[...names].join(', ')}` };
	}
	yield { text: '' };
}

function nameOf({ field, only }: FieldSupport): string {
	return only === undefined ? field : `${field} (${only.replaceAll('`', '')})`;
}
