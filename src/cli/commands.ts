import type { Command } from 'commander';
import { registerAuth } from './auth-commands.ts';
import { calledAs } from './called-as.ts';
import { type CliContext, CommandError } from './context.ts';
import { registerCreate } from './create-commands.ts';
import { registerImages } from './image-commands.ts';
import type { Perform } from './perform.ts';
import {
	registerAttach,
	registerCp,
	registerExec,
	registerPortForward,
	registerProxy,
	splitAtDashes,
} from './stream-commands.ts';
import { printingWarnings } from './warnings.ts';
import { registerRollout, registerScale, registerSet } from './workload-commands.ts';

/**
 * The command line: everything but `stint server`. This folder reads flags and files, calls the API through
 * {@link CliContext.connect}, and prints; it decides nothing that a controller or the API server decides.
 *
 * Read in this order: commands.ts (commands and flags), context.ts (what commands get from the process), then
 * stream-commands.ts (those that connect to containers), auth-commands.ts, create-commands.ts (a command per kind, see create/),
 * image-commands.ts (images of this machine, see images/), workload-commands.ts (about Deployments, see workloads/), a file
 * per command: apply.ts, create.ts, expose.ts, get.ts, describe.ts, logs.ts, top.ts, delete.ts, run.ts, exec.ts, attach.ts, cp.ts,
 * port-forward.ts, scale.ts, rollout.ts, set-image.ts, auth.ts, doctor.ts. Beside them: manifest/ (reads and checks files),
 * print/ (output formats), run/ (follows Jobs and Pods to their end), streams/ (sessions and ports), describe/ (a
 * file per kind).
 *
 * 1. Output, errors and flags that kubectl has too are kubectl's to the letter, since scripts parse them.
 *    Where stint prints more (hints, line numbers), it prints it after kubectl's text.
 * 2. A command checks all its input before it sends the first request.
 * 3. Text from objects goes to a terminal only through {@link Output.print}, which escapes control
 *    characters.
 * 4. A command that prints without a bound waits for {@link OutputStream.ready}, so that memory stays
 *    bounded.
 * 5. No command imports another one statically: a command pays at start-up only for its own code.
 */

/**
 * Values of repeatable flags that the user did not give. commander is not given them as defaults, since the
 * help would print them as `(default: [])`.
 */
const NONE = { filename: [], env: [], labelColumns: [] };

/** Appends a value to the earlier ones of a repeatable flag. */
function collect(value: string, values: readonly string[] = []): readonly string[] {
	return [...values, value];
}

/** Appends values to the earlier ones of a repeatable flag whose value is a comma-separated list. */
function collectList(value: string, values: readonly string[] = []): readonly string[] {
	return [...values, ...value.split(',')];
}

const FILES = ['-f, --filename <path>', 'manifest: a file, a folder, or - for standard input'] as const;

/**
 * Registers the commands that are clients of a server. The module of a command is loaded when the user calls
 * it, so that no command pays for another's start-up.
 */
export function registerCommands(
	program: Command,
	plainContext: CliContext,
	{ finish, only }: CommandOptions,
): void {
	const context = printingWarnings(plainContext);
	const command = (name: string, description: string): Command => {
		const made = program.command(name).description(description);
		if (WITHOUT_SERVER.includes(name)) return made;
		return made
			.option('--kubeconfig <file>', 'kubeconfig file (default: $KUBECONFIG, else that of the data folder)')
			.option('-n, --namespace <name>', 'namespace of the request (default: that of the kubeconfig)');
	};
	const perform: Perform = (work) => settle(context, work, finish);
	for (const [name, [description, register]] of Object.entries(COMMANDS)) {
		if (only !== undefined && only !== name) continue;
		const made = command(name, description);
		register(made, context, perform);
		hintAtCommands(made, name);
	}
}

/** After an error, such as an unknown command, a command with commands of its own names them. */
function hintAtCommands(group: Command, words: string): void {
	const names = group.commands.map((each) => each.name()).filter((name) => name !== 'help');
	if (names.length === 0) return;
	const more = words === 'create' ? `; other kinds: ${calledAs('apply -f FILE')}` : '';
	group.showHelpAfterError(`hint: the commands of ${words}: ${names.join(', ')}${more}`);
	for (const each of group.commands) hintAtCommands(each, `${words} ${each.name()}`);
}

/** Options of {@link registerCommands}. */
export interface CommandOptions {
	/** Called with the exit code of the command that ran. */
	readonly finish: (code: number) => void;
	/** The only command to register; undefined: all. Each costs some 0.2 ms of a command's start. */
	readonly only: string | undefined;
}

type Register = (command: Command, context: CliContext, perform: Perform) => void;

/** The description of each command, and the function that adds its flags, in the order of the help. */
const COMMANDS: Readonly<Record<string, readonly [string, Register]>> = {
	run: ['run Jobs until they finish and print their logs', registerRun],
	apply: ['create objects of a manifest, or update them to match it', registerApply],
	create: ['create an object from flags, or a token of a ServiceAccount', registerCreate],
	expose: ['create a Service for the Pods of an object', registerExpose],
	get: ['list objects', registerGet],
	describe: ['show details of objects, with their events', registerDescribe],
	logs: ['print the logs of a Pod, of all Pods of a Job, or of one Pod of a Deployment', registerLogs],
	exec: ['run a command in a container', registerExec],
	attach: ['connect to the main process of a container', registerAttach],
	cp: ['copy files and folders to and from containers, which must have tar', registerCp],
	'port-forward': ['forward ports of this machine to a Pod', registerPortForward],
	proxy: ['serve the API without credentials on a port of this machine', registerProxy],
	top: ['print what Pods or Nodes use of processors and memory', registerTop],
	scale: ['set the number of Pods of Deployments and other workloads', registerScale],
	rollout: ['show and control the rollouts of Deployments', registerRollout],
	set: ['change images of containers', registerSet],
	delete: ['delete objects and their dependents', registerDelete],
	auth: ['show who you are for the server, and what it allows', registerAuth],
	images: ['list, pull, load, save and remove the images of the runtime sandbox', registerImages],
	doctor: ['report what this machine allows Pods to be, why not more, and what changes that', registerDoctor],
};

function registerExpose(command: Command, context: CliContext, perform: Perform): void {
	command
		.argument('[words...]', 'TYPE NAME or TYPE/NAME: a Pod, a Deployment or its like, or a Service')
		.option('--name <name>', 'name of the Service (default: that of the object)')
		.option('--port <port>', 'port of the Service, or several with commas (default: those of the object)')
		.option('--target-port <port>', 'number or name of the port of the Pods (default: the same as --port)')
		.option('--protocol <protocol>', 'TCP, UDP or SCTP (default: that of the port of the object)')
		.option('--type <type>', 'ClusterIP, NodePort, LoadBalancer or ExternalName (default: ClusterIP)')
		.option('--selector <labels>', 'labels of the Pods (default: those of the object)')
		.option('-l, --labels <key=value,...>', 'labels of the Service (default: those of the object)')
		.option('--cluster-ip <address>', 'address of the Service, or None for a headless one')
		.option('--external-ip <address>', 'further address of the Service')
		.option('--load-balancer-ip <address>', 'with --type LoadBalancer: address that it should have')
		.option('--session-affinity <kind>', 'None or ClientIP')
		.option('--dry-run [mode]', 'only print the Service; modes: client, server, none')
		.option('-o, --output <form>', 'output format: json, yaml, name, jsonpath=TEMPLATE')
		.action((words: string[], flags) =>
			perform(async () => (await import('./commands/expose.ts')).expose(context, words, flags)),
		);
}

/** The commands that send no requests. */
const WITHOUT_SERVER: readonly string[] = ['doctor', 'images'];

function registerDoctor(command: Command, context: CliContext, perform: Perform): void {
	command
		.option('--data-dir <dir>', 'data folder to check (default: that of stint server)')
		.option('--port <number>', 'port to check (default: 6443)')
		.option('-o, --output <form>', 'output format: json or yaml')
		.addHelpText('after', '\nExit codes: 0 if Jobs can run on this machine, 1 if they cannot.')
		.action((flags) => perform(async () => (await import('./commands/doctor.ts')).doctor(context, flags)));
}

function registerApply(command: Command, context: CliContext, perform: Perform): void {
	command
		.option(...FILES, collect)
		.option('--force', 'delete and re-create objects whose changes the API does not allow')
		.action((flags) =>
			perform(async () => (await import('./commands/apply.ts')).apply(context, { ...NONE, ...flags })),
		);
}

function registerDescribe(command: Command, context: CliContext, perform: Perform): void {
	command
		.argument('<words...>', 'resources and names: job pi, pod/x')
		.option('-l, --selector <labels>', 'only objects that match this label selector')
		.option('-A, --all-namespaces', 'in all namespaces')
		.option('--no-show-events', 'do not show events')
		.action((words: string[], flags) =>
			perform(async () =>
				(await import('./commands/describe.ts')).describe(context, words, { ...NONE, ...flags }),
			),
		);
}

function registerGet(command: Command, context: CliContext, perform: Perform): void {
	command
		.argument('[words...]', 'resources and names: jobs, pods,jobs, job pi, job/pi pod/x, all')
		.option(
			'-o, --output <form>',
			'output format: wide, yaml, json, name, jsonpath=TEMPLATE, custom-columns=NAME:.path,...',
		)
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
			perform(async () =>
				(await import('./commands/get.ts')).getObjects(context, words, { ...NONE, ...flags }),
			),
		);
}

function registerRun(command: Command, context: CliContext, perform: Perform): void {
	command
		.argument('[words...]', 'name of the Job, then its arguments (after -- if they begin with a dash)')
		.option(...FILES, collect)
		.option('--force', 'delete Jobs of the same name that have finished, then run')
		.option('-d, --detach', 'only create the Jobs and return at once; a running server runs them')
		.option('--embedded', 'start a server for this run even if one is running')
		.option(
			'--runtime <name>',
			'container runtime of a server that this run starts: process, sandbox, docker, cri, auto or fake (default: $STINT_RUNTIME, else process)',
		)
		.option('--image <image>', 'image of the Job made from flags')
		.option(
			'--image-pull-policy <policy>',
			'Always, IfNotPresent or Never (default: by the tag of the image)',
		)
		.option('-i, --stdin', 'pass standard input to the container of a Job made from flags; implies --attach')
		.option('-t, --tty', 'with -i: give the container a terminal')
		.option('--attach', 'print the output of the container without the name of its Pod before each line')
		.option('--leave-stdin-open', 'with -i: keep the input of the container open when this command ends')
		.option('--rm', 'with -i or --attach: delete the Job once it has finished')
		.option('-q, --quiet', 'with -t: print no notices before the session')
		.option('--restart <policy>', 'OnFailure or Never (default: OnFailure, with -t Never)')
		.option('--command', 'the words after the name are the command, not its arguments')
		.option('--env <name=value>', 'environment variable of the container', collect)
		.option('-l, --labels <key=value,...>', 'labels of the Job and of its Pods')
		.option('--completions <number>', 'number of Pods that must succeed')
		.option('--parallelism <number>', 'number of Pods that may run at once')
		.option(
			'--backoff-limit <number>',
			'number of retries of failed Pods before the Job fails (default: 6, with -t and Never 0)',
		)
		.option('--dry-run [mode]', 'print the Job and do not run it; modes: client, server, none')
		.option('-o, --output <form>', 'with --dry-run: yaml, json or name')
		.addHelpText('after', runHelp)
		.action((words: string[], flags) =>
			perform(async () => {
				// The first word after -- is not the name, as in kubectl.
				if (words.length > 0 && splitAtDashes(command, words).target.length === 0 && !flags.filename)
					throw new CommandError(
						`NAME is required for run\nhint: write it before --, as in: ${calledAs('run hello --image=IMAGE -- ARGS')}`,
					);
				return (await import('./commands/run.ts')).runObjects(context, words, { ...NONE, ...flags });
			}),
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

function registerLogs(command: Command, context: CliContext, perform: Perform): void {
	command
		.argument('[words...]', 'POD [CONTAINER], job/NAME or deployment/NAME')
		.option('-c, --container <name>', 'container (default: the first one of the Pod)')
		.option('--all-containers', 'print the logs of all containers')
		.option('-f, --follow', 'follow the log until the containers, or the Job, end')
		.option('-p, --previous', 'print the log of the previous instance of the container')
		.option('--timestamps', 'print the time before each line')
		.option('--tail <lines>', 'print only this number of last lines')
		.option('--since <time>', 'print only lines newer than a duration such as 10s, 5m, 1h')
		.option('--since-time <time>', 'print only lines newer than a time in RFC 3339')
		.option('--limit-bytes <bytes>', 'print at most this number of bytes of each log')
		.option('-l, --selector <labels>', 'print the logs of all Pods that match this label selector')
		.option(
			'--all-pods',
			'print the logs of all Pods of a Deployment or its like, as of a Job, with the prefixes of --prefix',
		)
		.option('--prefix', 'print the Pod and container before each line')
		.option('--pod-running-timeout <time>', 'longest time to wait for a Pod of a Job (default: 20s)')
		.option('--ignore-errors', 'of several logs, do not fail because of one that cannot be read')
		.option('--max-log-requests <number>', 'maximum number of logs that -f follows at once (default: 5)')
		.action((words: string[], flags) =>
			perform(async () => (await import('./commands/logs.ts')).logs(context, words, { ...NONE, ...flags })),
		);
}

function registerTop(command: Command, context: CliContext, perform: Perform): void {
	// The flags of `top` itself may stand before or after the name of the kind.
	const flagsOf = (own: { headers: boolean }) => ({ ...command.opts(), ...own });
	const load = () => import('./commands/top.ts');
	const kind = (name: string, aliases: readonly string[]): Command =>
		command
			.command(name)
			.aliases(aliases)
			.argument('[names...]', 'at most one name')
			.option('-l, --selector <labels>', 'only objects that match this label selector')
			.option('--sort-by <resource>', 'cpu or memory: the largest first (default: by name)')
			.option('--no-headers', 'do not print column headings');
	kind('pod', ['pods', 'po'])
		.description('print what Pods use')
		.option('-A, --all-namespaces', 'in all namespaces')
		.option('--field-selector <fields>', 'only Pods that match this field selector')
		.option('--containers', 'print a line for each container')
		.option('--sum', 'print the sum in a last line')
		.action((names: string[], flags) =>
			perform(async () => (await load()).topPods(context, names, flagsOf(flags))),
		);
	kind('node', ['nodes', 'no'])
		.description('print what Nodes use')
		.option('--show-capacity', 'percent of the capacity of a Node, not of its allocatable resources')
		.action((names: string[], flags) =>
			perform(async () => (await load()).topNodes(context, names, flagsOf(flags))),
		);
}

function registerDelete(command: Command, context: CliContext, perform: Perform): void {
	command
		.argument('[words...]', 'resources and names: job pi, pod/x')
		.option(...FILES, collect)
		.option('-l, --selector <labels>', 'all objects that match this label selector')
		.option('--field-selector <fields>', 'all objects that match this field selector')
		.option('--all', 'all objects of the resource')
		.option('-A, --all-namespaces', 'with -l or --all: of all namespaces')
		.option('--cascade [how]', 'deletion of dependents: background, foreground or orphan', 'background')
		.option('--grace-period <seconds>', 'seconds that Pods have to terminate before they are killed')
		.option('--now', 'the same as --grace-period=1')
		.option('--force', 'remove Pods from the API without waiting for their processes')
		.addOption(
			command.createOption('--wait [true|false]', 'wait until the objects are gone').default('true', 'true'),
		)
		.option('--no-wait', 'return without waiting until the objects are gone')
		.option('--timeout <time>', 'longest time to wait, such as 30s or 5m (default: no limit)')
		.option('--ignore-not-found', 'do not report an error if the object does not exist')
		.option('-o, --output <form>', 'output format: name')
		.action((words: string[], flags) =>
			perform(async () =>
				(await import('./commands/delete.ts')).deleteObjects(context, words, { ...NONE, ...flags }),
			),
		);
}

/** Runs a command and calls `finish` with its exit code; prints the error that it rejects with. */
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
