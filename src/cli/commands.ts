import type { Command } from 'commander';
import { type CliContext, CommandError } from './context.ts';
import { printingWarnings } from './warnings.ts';

/** What repeatable flags are when they are not given; the help would show a default of commander's own. */
const NONE = { filename: [], env: [], labelColumns: [] };

/** Adds a value to those that a repeatable flag has. */
function collect(value: string, values: readonly string[] = []): readonly string[] {
	return [...values, value];
}

/** The same, for values that may themselves be lists. */
function collectList(value: string, values: readonly string[] = []): readonly string[] {
	return [...values, ...value.split(',')];
}

const FILES = ['-f, --filename <path>', 'a manifest: a file, a folder, or - for standard input'] as const;

/**
 * Registers the commands that talk to a server. Each is loaded only when it is called, so that none
 * pays for another. `finish` is told the exit code.
 */
export function registerCommands(
	program: Command,
	plainContext: CliContext,
	finish: (code: number) => void,
): void {
	const context = printingWarnings(plainContext);
	const command = (name: string, description: string): Command =>
		program
			.command(name)
			.description(description)
			.option('--kubeconfig <file>', 'the kubeconfig that leads to the server')
			.option('-n, --namespace <name>', 'the namespace to work in');
	const perform = (work: () => Promise<unknown>): Promise<void> => settle(context, work, finish);
	registerRun(command('run', 'run Jobs to their end and show what they do'), context, perform);
	command('apply', 'create or change objects as a manifest says')
		.option(...FILES, collect)
		.option('--force', 'delete and create anew what cannot be changed')
		.action((flags) =>
			perform(async () => (await import('./apply.ts')).apply(context, { ...NONE, ...flags })),
		);
	registerGet(command('get', 'print objects'), context, perform);
	command('describe', 'say all there is to say of objects')
		.argument('<words...>', 'resources and names: job pi, pod/x')
		.option('-l, --selector <labels>', 'only objects with these labels')
		.option('-A, --all-namespaces', 'of all namespaces')
		.option('--no-show-events', 'without their Events')
		.action((words: string[], flags) =>
			perform(async () => (await import('./describe.ts')).describe(context, words, { ...NONE, ...flags })),
		);
	registerLogs(command('logs', 'print the logs of a Pod or a Job'), context, perform);
	registerDelete(command('delete', 'delete objects with all that depends on them'), context, perform);
}

function registerGet(
	command: Command,
	context: CliContext,
	perform: (work: () => Promise<unknown>) => Promise<void>,
): void {
	command
		.argument('[words...]', 'resources and names: jobs, pods,jobs, job pi, job/pi pod/x, all')
		.option('-o, --output <form>', 'wide, yaml, json, name, jsonpath=TEMPLATE, custom-columns=NAME:.path,...')
		.option('-w, --watch', 'print every change as well')
		.option('--watch-only', 'print only changes')
		.option('--output-watch-events', 'with -w: say of each row what happened')
		.option('-A, --all-namespaces', 'of all namespaces')
		.option('-l, --selector <labels>', 'only objects with these labels')
		.option('--field-selector <fields>', 'only objects with these fields')
		.option('--no-headers', 'without the headings')
		.option('--show-labels', 'with all labels')
		.option('-L, --label-columns <labels>', 'with these labels as columns', collectList)
		.option('--show-managed-fields', 'with metadata.managedFields')
		.option('--ignore-not-found', 'what is not there is not worth a word')
		.option('--raw <path>', 'print the answer of the server to a path as it is')
		.addOption(command.createOption('-a, --show-all').hideHelp())
		.action((words: string[], flags) =>
			perform(async () => (await import('./get.ts')).get(context, words, { ...NONE, ...flags })),
		);
}

function registerRun(
	command: Command,
	context: CliContext,
	perform: (work: () => Promise<unknown>) => Promise<void>,
): void {
	command
		.argument('[words...]', 'a name, and after it the arguments (after -- where they look like flags)')
		.option(...FILES, collect)
		.option('--force', 'delete Jobs that have run already, and run them anew')
		.option('-d, --detach', 'only create the Jobs and return at once; a running server runs them')
		.option('--embedded', 'use a server of its own, whatever else runs')
		.option('--image <image>', 'run this image as a Job')
		.option('-i, --stdin', 'print the output as it is, without the name of the Pod before each line')
		.option('-t, --tty', 'understood for the sake of habit; has no effect')
		.option('--restart <policy>', 'OnFailure or Never', 'OnFailure')
		.option('--command', 'the words are the command, not its arguments')
		.option('--env <name=value>', 'a variable of the environment', collect)
		.option('-l, --labels <key=value,...>', 'labels of the Job and its Pods')
		.option('--completions <number>', 'how many Pods must succeed')
		.option('--parallelism <number>', 'how many Pods may run at once')
		.option('--backoff-limit <number>', 'how many failures are borne')
		.option('--dry-run [mode]', 'only print the Job')
		.option('-o, --output <form>', 'with --dry-run: yaml or json')
		.addHelpText('after', RUN_HELP)
		.action((words: string[], flags) =>
			perform(async () => (await import('./run.ts')).run(context, words, { ...NONE, ...flags })),
		);
}

const RUN_HELP = `
Exit code: 0 when everything completed. When the only Job failed, the exit code of its container that
failed last, where there is one. 130 after Ctrl-C (which deletes what was started; once more kills it at
once), 143 after SIGTERM. Otherwise 1.

Examples:
  stint run -f job.yaml
  stint run -i oneshot --image=busybox --command -- sh -c 'echo hello'`;

function registerLogs(
	command: Command,
	context: CliContext,
	perform: (work: () => Promise<unknown>) => Promise<void>,
): void {
	command
		.argument('[words...]', 'a Pod, perhaps with a container, or job/NAME')
		.option('-c, --container <name>', 'the container; the first one by default')
		.option('--all-containers', 'of all containers')
		.option('-f, --follow', 'until the containers end; of a Job, until it ends')
		.option('-p, --previous', 'of the run before the current one')
		.option('--timestamps', 'with the time of each line')
		.option('--tail <lines>', 'only the last lines')
		.option('--since <time>', 'only what is newer, as 10s, 5m, 1h')
		.option('--since-time <time>', 'only what is newer than a time in RFC 3339')
		.option('--limit-bytes <bytes>', 'at most so many bytes of each')
		.option('-l, --selector <labels>', 'of all Pods with these labels')
		.option('--prefix', 'with the Pod and container of each line')
		.action((words: string[], flags) =>
			perform(async () => (await import('./logs.ts')).logs(context, words, { ...NONE, ...flags })),
		);
}

function registerDelete(
	command: Command,
	context: CliContext,
	perform: (work: () => Promise<unknown>) => Promise<void>,
): void {
	command
		.argument('[words...]', 'resources and names: job pi, pod/x')
		.option(...FILES, collect)
		.option('-l, --selector <labels>', 'all objects with these labels')
		.option('--field-selector <fields>', 'all objects with these fields')
		.option('--all', 'all objects of the resource')
		.option('-A, --all-namespaces', 'with -l or --all: of all namespaces')
		.option('--cascade [how]', 'background, foreground or orphan', 'background')
		.option('--grace-period <seconds>', 'how long Pods may take to end')
		.option('--now', 'the same as --grace-period=1')
		.option('--force', 'do not wait for their processes to end')
		.option('--wait [true|false]', 'wait until they are gone', 'true')
		.option('--no-wait', 'do not wait until they are gone')
		.option('--timeout <time>', 'how long to wait, as 30s or 5m')
		.option('--ignore-not-found', 'what is not there is as good as deleted')
		.option('-o, --output <form>', 'name')
		.action((words: string[], flags) =>
			perform(async () => (await import('./delete.ts')).deleteObjects(context, words, { ...NONE, ...flags })),
		);
}

async function settle(
	context: CliContext,
	work: () => Promise<unknown>,
	finish: (code: number) => void,
): Promise<void> {
	try {
		const code = await work();
		finish(typeof code === 'number' ? code : 0);
	} catch (error) {
		const { describeError } = await import('./errors.ts');
		context.stderr.print(`${describeError(error)}\n`);
		finish(error instanceof CommandError ? error.exitCode : 1);
	}
}
