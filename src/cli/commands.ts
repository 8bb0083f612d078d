import type { Command } from 'commander';
import { calledAs } from './called-as.ts';
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

const FILES = ['-f, --filename <path>', 'manifest: a file, a folder, or - for standard input'] as const;

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
			.option('--kubeconfig <file>', 'path of the kubeconfig file')
			.option('-n, --namespace <name>', 'namespace of the request');
	const perform = (work: () => Promise<unknown>): Promise<void> => settle(context, work, finish);
	registerRun(command('run', 'run Jobs to their end and show their logs'), context, perform);
	command('apply', 'create objects of a manifest, or update them to match it')
		.option(...FILES, collect)
		.option('--force', 'delete and re-create objects whose changes the API does not allow')
		.action((flags) =>
			perform(async () => (await import('./apply.ts')).apply(context, { ...NONE, ...flags })),
		);
	registerGet(command('get', 'list objects'), context, perform);
	command('describe', 'show details of objects, with their events')
		.argument('<words...>', 'resources and names: job pi, pod/x')
		.option('-l, --selector <labels>', 'only objects that match this label selector')
		.option('-A, --all-namespaces', 'in all namespaces')
		.option('--no-show-events', 'do not show events')
		.action((words: string[], flags) =>
			perform(async () => (await import('./describe.ts')).describe(context, words, { ...NONE, ...flags })),
		);
	registerLogs(command('logs', 'print the logs of a Pod or of the Pods of a Job'), context, perform);
	registerDelete(command('delete', 'delete objects and their dependents'), context, perform);
}

function registerGet(
	command: Command,
	context: CliContext,
	perform: (work: () => Promise<unknown>) => Promise<void>,
): void {
	command
		.argument('[words...]', 'resources and names: jobs, pods,jobs, job pi, job/pi pod/x, all')
		.option('-o, --output <form>', 'wide, yaml, json, name, jsonpath=TEMPLATE, custom-columns=NAME:.path,...')
		.option('-w, --watch', 'print changes until interrupted')
		.option('--watch-only', 'print only changes')
		.option('--output-watch-events', 'with -w: print the type of each change')
		.option('-A, --all-namespaces', 'in all namespaces')
		.option('-l, --selector <labels>', 'only objects that match this label selector')
		.option('--field-selector <fields>', 'only objects that match this field selector')
		.option('--no-headers', 'do not print column headings')
		.option('--show-labels', 'print all labels in a last column')
		.option('-L, --label-columns <labels>', 'print the values of these labels as columns', collectList)
		.option('--show-managed-fields', 'print metadata.managedFields')
		.option('--ignore-not-found', 'do not report an error if the object does not exist')
		.option('--raw <path>', 'print the response of the server to a GET of this path')
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
		.argument('[words...]', 'name of the Job, then its arguments (after -- if they begin with a dash)')
		.option(...FILES, collect)
		.option('--force', 'delete Jobs of the same name that have finished, then run')
		.option('-d, --detach', 'only create the Jobs and return at once; a running server runs them')
		.option('--embedded', 'start a server for this run even if one is running')
		.option('--image <image>', 'image of the Job made from flags')
		.option(
			'-i, --stdin',
			'print the output of a Job made from flags without the name of the Pod before each line; standard input does not reach the container',
		)
		.option('-t, --tty', 'accepted for compatibility with kubectl run; no effect')
		.option('--restart <policy>', 'OnFailure or Never (default: OnFailure)')
		.option('--command', 'the words after the name are the command, not its arguments')
		.option('--env <name=value>', 'environment variable of the container', collect)
		.option('-l, --labels <key=value,...>', 'labels of the Job and of its Pods')
		.option('--completions <number>', 'number of Pods that must succeed')
		.option('--parallelism <number>', 'number of Pods that may run at once')
		.option('--backoff-limit <number>', 'number of failed Pods after which the Job fails')
		.option('--dry-run [mode]', 'print the Job and do not run it')
		.option('-o, --output <form>', 'with --dry-run: yaml, json or name')
		.addHelpText('after', runHelp)
		.action((words: string[], flags) =>
			perform(async () => (await import('./run.ts')).run(context, words, { ...NONE, ...flags })),
		);
}

const runHelp = (): string => `
Exit codes: 0 if all Jobs completed. If a single Job was run and failed, the
exit code of the container that failed last. 130 after Ctrl-C, which deletes the
Jobs of this run (a second Ctrl-C kills their Pods at once). 143 after SIGTERM.
1 in all other cases.

Examples:
  ${calledAs('run -f job.yaml')}
  ${calledAs('run -i oneshot')} --image=busybox --command -- sh -c 'echo hello'`;

function registerLogs(
	command: Command,
	context: CliContext,
	perform: (work: () => Promise<unknown>) => Promise<void>,
): void {
	command
		.argument('[words...]', 'POD [CONTAINER] or job/NAME')
		.option('-c, --container <name>', 'container; the first one by default')
		.option('--all-containers', 'print the logs of all containers')
		.option('-f, --follow', 'follow the log until the containers, or the Job, end')
		.option('-p, --previous', 'print the log of the previous run of the container')
		.option('--timestamps', 'print the time before each line')
		.option('--tail <lines>', 'print only this number of last lines')
		.option('--since <time>', 'print only lines newer than a duration such as 10s, 5m, 1h')
		.option('--since-time <time>', 'print only lines newer than a time in RFC 3339')
		.option('--limit-bytes <bytes>', 'print at most this number of bytes of each log')
		.option('-l, --selector <labels>', 'print the logs of all Pods that match this label selector')
		.option('--prefix', 'print the Pod and container before each line')
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
		.option('-l, --selector <labels>', 'all objects that match this label selector')
		.option('--field-selector <fields>', 'all objects that match this field selector')
		.option('--all', 'all objects of the resource')
		.option('-A, --all-namespaces', 'with -l or --all: of all namespaces')
		.option('--cascade [how]', 'background, foreground or orphan', 'background')
		.option('--grace-period <seconds>', 'seconds that Pods have to end before they are killed')
		.option('--now', 'the same as --grace-period=1')
		.option('--force', 'remove Pods from the API without waiting for their processes')
		.addOption(
			command.createOption('--wait [true|false]', 'wait until the objects are gone').default('true', 'true'),
		)
		.option('--no-wait', 'return without waiting until the objects are gone')
		.option('--timeout <time>', 'longest time to wait, such as 30s or 5m')
		.option('--ignore-not-found', 'do not report an error if the object does not exist')
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
