/**
 * create/: the objects that `create` makes from flags, a file per kind. Read new-object.ts (sends and prints), then
 * data-sources.ts (files and literals as data), name-hash.ts, and the kinds.
 *
 * 1. The whole object is made before the first request.
 * 2. Output and errors are kubectl's, of version 1.37: pkg/cmd/create of k8s.io/kubectl.
 */

import type { ResourceDefinition } from '../../api/contract/resource-definition.ts';
import { ApiError } from '../../api/errors/api-error.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { decodeAs } from '../../api/schema/decode.ts';
import { isRecord, type JsonRecord } from '../../base/json/json.ts';
import { pathOf } from '../../client/client.ts';
import { displayName } from '../args/resource-args.ts';
import { calledAs } from '../called-as.ts';
import { type CliContext, CommandError, type CommonFlags } from '../context.ts';
import { fillTemplate } from '../print/jsonpath.ts';
import { type OutputForm, parseOutputForm, unknownForm } from '../print/output-form.ts';
import { toTypedJson } from '../print/typed-json.ts';
import { toYaml } from '../print/yaml.ts';

/** The flags of all commands that create an object. */
export interface CreateFlags extends CommonFlags {
	readonly dryRun?: boolean | string;
	readonly output?: string;
}

/** An object that does not exist yet. */
export interface NewObject {
	readonly definition: ResourceDefinition;
	/** All of it but `apiVersion`, `kind` and the namespace. */
	readonly manifest: JsonRecord & { readonly metadata: JsonRecord };
	/** What precedes the server's message if it refuses the object. Undefined: kubectl's text for errors of the server. */
	readonly failure?: string;
	/** What has happened, in the message; default: created. */
	readonly done?: 'created' | 'exposed';
	/** The field manager; default: kubectl-create. */
	readonly manager?: string;
}

/** Creates the object and prints it as `kubectl create` does. Resolves to the exit code. */
export async function createNew(
	context: CliContext,
	{ definition, manifest, done = 'created', ...how }: NewObject,
	flags: CreateFlags,
): Promise<number> {
	const form = printedForm(flags.output);
	const dryRun = dryRunOf(context, flags.dryRun);
	const { kind, group, version, namespaced, schema } = definition;
	const { namespace } = flags;
	const apiVersion = group === '' ? version : `${group}/${version}`;
	const metadata = { ...manifest.metadata, ...(namespaced && namespace !== undefined && { namespace }) };
	const { value } = decodeAs<KubeObject>(schema, { kind, apiVersion, ...manifest, metadata });
	const sent = { ...value, kind, apiVersion };
	const object =
		dryRun === 'client' ? sent : await post(context, { definition, sent, ...how }, { flags, dryRun });
	if (form === undefined)
		context.stdout.print(`${displayName(definition, object)} ${done}${DRY_RUN[dryRun]}\n`);
	else print(context, { definition, object }, form);
	return 0;
}

/** The name that a command was given. Throws a CommandError with kubectl's text unless there is exactly one. */
export function oneName(names: readonly string[], command: string): string {
	const [name] = names;
	if (name !== undefined && names.length === 1) return name;
	throw new CommandError(
		`exactly one NAME is required, got ${names.length}\nSee '${calledAs(`create ${command}`)} -h' for help and examples`,
	);
}

type DryRun = 'none' | 'client' | 'server';

/** What kubectl prints after `created`. */
const DRY_RUN: Readonly<Record<DryRun, string>> = {
	none: '',
	client: ' (dry run)',
	server: ' (server dry run)',
};

function dryRunOf(context: CliContext, mode: boolean | string = 'none'): DryRun {
	if (mode === false) return 'none';
	if (mode === true) {
		context.stderr.print('--dry-run is deprecated and can be replaced with --dry-run=client.\n');
		return 'client';
	}
	const known = (['none', 'client', 'server'] as const).find((each) => each === mode);
	if (known !== undefined) return known;
	throw new CommandError(`Invalid dry-run value (${mode}). Must be "none", "server", or "client".`);
}

async function post(
	context: CliContext,
	{
		definition,
		failure,
		manager,
		sent,
	}: Omit<NewObject, 'manifest' | 'done'> & { readonly sent: KubeObject },
	{ flags, dryRun }: { readonly flags: CreateFlags; readonly dryRun: DryRun },
): Promise<KubeObject> {
	const { client, namespace } = await context.connect(flags.kubeconfig);
	const path = pathOf(definition, flags.namespace ?? namespace);
	const query = {
		fieldManager: manager ?? 'kubectl-create',
		fieldValidation: 'Strict',
		...(dryRun === 'server' && { dryRun: 'All' }),
	};
	try {
		const { object } = await client.transport.request({ method: 'POST', path, query, body: sent });
		return isRecord(object) && isRecord(object.metadata) ? { ...sent, ...object } : sent;
	} catch (error) {
		if (error instanceof ApiError && failure !== undefined)
			throw new CommandError(`${failure}${error.message}`);
		throw error;
	}
}

/** The formats without a table, in which kubectl's `create` prints. */
type PrintedForm = Exclude<OutputForm, { readonly type: 'table' | 'columns' }>;

function printedForm(output: string | undefined): PrintedForm | undefined {
	if (output === undefined || output === '') return undefined;
	const form = parseOutputForm(output);
	if (form.type !== 'table' && form.type !== 'columns') return form;
	throw unknownForm(output, ['json', 'jsonpath', 'name', 'yaml']);
}

function print(
	{ stdout }: CliContext,
	{ definition, object }: { readonly definition: ResourceDefinition; readonly object: KubeObject },
	form: PrintedForm,
): void {
	if (form.type === 'jsonpath') stdout.write(fillTemplate(form.template, object));
	else if (form.type === 'name') stdout.print(`${displayName(definition, object)}\n`);
	else stdout.write(form.type === 'json' ? toTypedJson(definition.schema, object) : toYaml(object));
}
