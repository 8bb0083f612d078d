/** The flags of `create` and of its commands, one for each kind. */

import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import type { Perform } from './perform.ts';
import { splitAtDashes } from './stream-commands.ts';

/** Runs a command with the flags, which may stand before or after the name of the kind. */
type Run = (flags: object) => Promise<unknown>;

/** Adds the commands of `create`. */
export function registerCreate(command: Command, context: CliContext, perform: Perform): void {
	const performWith = (own: object, run: Run): Promise<void> =>
		perform(async () => run({ ...command.opts(), ...own }));
	registerData(command, context, performWith);
	registerSecrets(command.command('secret').description('create a Secret'), context, performWith);
	registerJob(command, context, performWith);
	registerDeployment(command, context, performWith);
	registerPolicies(command, context, performWith);
	registerServices(
		command.command('service').alias('svc').description('create a Service'),
		context,
		performWith,
	);
	registerAccounts(command, context, performWith);
}

type PerformWith = (own: object, run: Run) => Promise<void>;

const NO_SOURCES = { fromFile: [], fromLiteral: [], fromEnvFile: [] };

function registerData(parent: Command, context: CliContext, perform: PerformWith): void {
	withHash(withSources(withOutput(parent.command('configmap').alias('cm'))))
		.description('create a ConfigMap from files, folders and literal values')
		.action((names: string[], own) =>
			perform(own, async (flags) =>
				(await import('./create/config-map.ts')).createConfigMap(context, names, {
					...NO_SOURCES,
					...flags,
				}),
			),
		);
}

function registerSecrets(parent: Command, context: CliContext, perform: PerformWith): void {
	const load = () => import('./create/secret.ts');
	withHash(withSources(withOutput(parent.command('generic'))))
		.description('create a Secret from files, folders and literal values')
		.option('--type <type>', 'type of the Secret (default: Opaque)')
		.action((names: string[], own) =>
			perform(own, async (flags) =>
				(await load()).createGenericSecret(context, names, { ...NO_SOURCES, ...flags }),
			),
		);
	withHash(withOutput(parent.command('tls')))
		.description('create a Secret of a certificate and its key')
		.option('--cert <file>', 'certificate in PEM')
		.option('--key <file>', 'private key of the certificate in PEM')
		.action((names: string[], own) =>
			perform(own, async (flags) => (await load()).createTlsSecret(context, names, flags)),
		);
	withHash(withOutput(parent.command('docker-registry')))
		.description('create a Secret to pull images from a registry')
		.option('--docker-username <name>', 'user of the registry')
		.option('--docker-password <password>', 'password of that user')
		.option('--docker-email <address>', 'email address of that user')
		.option('--docker-server <url>', 'registry (default: that of Docker Hub)')
		.option('--from-file <source>', 'instead: a file with credentials, as for generic', collectList)
		.action((names: string[], own) =>
			perform(own, async (flags) =>
				(await load()).createRegistrySecret(context, names, { fromFile: [], ...flags }),
			),
		);
}

function registerJob(parent: Command, context: CliContext, perform: PerformWith): void {
	const command = withOutput(parent.command('job'));
	command
		.usage('NAME --image=IMAGE [-- COMMAND...] | NAME --from=cronjob/NAME')
		.description('create a Job from an image or from a CronJob')
		.option('--image <image>', 'image of the container')
		.option('--from <cronjob>', 'CronJob whose template the Job has, such as cronjob/nightly')
		.action((words: string[], own) =>
			perform(own, async (flags) => {
				const { target: names, command: program } = splitAtDashes(command, words);
				const { createJob } = await import('./create/job.ts');
				return createJob(context, { names, command: program }, flags);
			}),
		);
}

function registerDeployment(parent: Command, context: CliContext, perform: PerformWith): void {
	const command = withOutput(parent.command('deployment').alias('deploy'));
	command
		.usage('NAME --image=IMAGE [-- COMMAND...]')
		.description('create a Deployment from an image')
		.option('--image <image>', 'image of a container', collectList)
		.option('--port <number>', 'port of the first container')
		.option('-r, --replicas <number>', 'number of Pods to keep (default: 1)')
		.action((words: string[], own) =>
			perform(own, async (flags) => {
				const { target: names, command: program } = splitAtDashes(command, words);
				const { createDeployment } = await import('./create/deployment.ts');
				return createDeployment(context, { names, command: program }, { image: [], ...flags });
			}),
		);
}

function registerPolicies(parent: Command, context: CliContext, perform: PerformWith): void {
	withOutput(parent.command('priorityclass').alias('pc'))
		.description('create a PriorityClass')
		.option('--value <number>', 'priority of its Pods (default: 0)')
		.option('--global-default [true|false]', 'whether Pods without a class have this one')
		.option('--description <text>', 'when the class should be used')
		.option('--preemption-policy <policy>', 'Never, or PreemptLowerPriority (default: PreemptLowerPriority)')
		.action((names: string[], own) =>
			perform(own, async (flags) =>
				(await import('./create/priority-class.ts')).createPriorityClass(context, names, flags),
			),
		);
	withOutput(parent.command('poddisruptionbudget').alias('pdb'))
		.description('create a PodDisruptionBudget')
		.option('--selector <labels>', 'label selector of its Pods')
		.option('--min-available <amount>', 'number or percentage of its Pods that must be available')
		.option('--max-unavailable <amount>', 'number or percentage of its Pods that may be unavailable')
		.action((names: string[], own) =>
			perform(own, async (flags) =>
				(await import('./create/disruption-budget.ts')).createDisruptionBudget(context, names, flags),
			),
		);
}

const SERVICE_COMMANDS = {
	clusterip: 'create a Service with an address inside of the cluster',
	nodeport: 'create a Service that is also reachable at a port of every Node',
	loadbalancer: 'create a Service for which a load balancer is requested',
	externalname: 'create a Service that is an alias of a DNS name',
} as const;

function registerServices(parent: Command, context: CliContext, perform: PerformWith): void {
	const commandOf = (kind: keyof typeof SERVICE_COMMANDS): Command =>
		withOutput(parent.command(kind))
			.description(SERVICE_COMMANDS[kind])
			.option('--tcp <port:targetPort>', 'port, or port and target port', collectList)
			.action((names: string[], own) =>
				perform(own, async (flags) => {
					const { createService } = await import('./create/service.ts');
					return createService(context, names, { tcp: [], ...flags, kind });
				}),
			);
	commandOf('clusterip').option(
		'--clusterip <address>',
		'address of the Service, or None for a headless one',
	);
	commandOf('nodeport').option('--node-port <number>', 'port of every Node (default: a free one)');
	commandOf('loadbalancer');
	commandOf('externalname').requiredOption(
		'--external-name <name>',
		'DNS name that the Service is an alias of',
	);
}

function registerAccounts(parent: Command, context: CliContext, perform: PerformWith): void {
	const load = () => import('./commands/create.ts');
	withOutput(parent.command('serviceaccount').alias('sa'))
		.description('create a ServiceAccount')
		.action((names: string[], own) =>
			perform(own, async (flags) => (await load()).createAccount(context, names, flags)),
		);
	parent
		.command('token')
		.description('request a token of a ServiceAccount and print it')
		.argument('[names...]', 'name of the ServiceAccount')
		.option('--audience <name>', 'service that may accept the token (default: the API server)', collect)
		.option('--duration <time>', 'lifetime of the token, such as 10m or 8h (default: one hour)')
		.option('--bound-object-kind <kind>', 'the token ends with an object of this kind: Node, Pod or Secret')
		.option('--bound-object-name <name>', 'name of that object')
		.option('--bound-object-uid <uid>', 'UID of that object (default: that of the current one)')
		.option('-o, --output <form>', 'print the whole response: json or yaml')
		.action((names: string[], own) =>
			perform(own, async (flags) => (await load()).createToken(context, names, { audience: [], ...flags })),
		);
}

function withOutput(command: Command): Command {
	return command
		.argument('[names...]', 'name of the object')
		.option('--dry-run [mode]', 'only print the object; modes: client, server, none')
		.option('-o, --output <form>', 'output format: json, yaml, name, jsonpath=TEMPLATE');
}

function withSources(command: Command): Command {
	return command
		.option(
			'--from-file <source>',
			'a file or folder, or KEY=FILE; the key is the name of the file',
			collectList,
		)
		.option('--from-literal <key=value>', 'a value', collect)
		.option(
			'--from-env-file <file>',
			'lines NAME=VALUE; without a value: that of the environment',
			collectList,
		);
}

function withHash(command: Command): Command {
	return command.option('--append-hash', 'append a hash of the content to the name');
}

/** Appends a value to the earlier ones of a repeatable flag. */
function collect(value: string, values: readonly string[] = []): readonly string[] {
	return [...values, value];
}

/** Appends the values of a comma-separated list to the earlier ones of a repeatable flag. */
function collectList(value: string, values: readonly string[] = []): readonly string[] {
	return [...values, ...value.split(',')];
}
