import { type SelfSubjectReview, selfSubjectReviewSchema } from '../../api/authentication/reviews.ts';
import {
	type SelfSubjectAccessReview,
	type SelfSubjectRulesReview,
	selfSubjectAccessReviewSchema,
	selfSubjectRulesReviewSchema,
} from '../../api/authorization/reviews.ts';
import { isApiError } from '../../api/errors/api-error.ts';
import { resourceNamed, virtualResources } from '../../api/resources.ts';
import { decodeAs } from '../../api/schema/decode.ts';
import { compareText } from '../../base/compare-text.ts';
import { goList, rulesTable } from '../auth/rules-table.ts';
import { calledAs } from '../called-as.ts';
import { type CliContext, CommandError, type CommonFlags, type Connection } from '../context.ts';
import { alignText, TABLE_STYLE } from '../print/aligned-text.ts';
import { fillTemplate } from '../print/jsonpath.ts';
import { type OutputForm, parseOutputForm, unknownForm } from '../print/output-form.ts';
import { toTypedJson } from '../print/typed-json.ts';
import { toYaml } from '../print/yaml.ts';

/** The flags of `auth can-i`. */
export interface CanIFlags extends CommonFlags {
	readonly allNamespaces?: boolean;
	readonly quiet?: boolean;
	readonly subresource?: string;
	readonly list?: boolean;
	readonly headers?: boolean;
}

/**
 * `stint auth can-i VERB TYPE[/NAME]` or `VERB /PATH`: prints whether the server allows it. Resolves to the exit code: 1 if
 * it does not. With --list it prints all that is allowed.
 */
export async function canI(context: CliContext, words: readonly string[], flags: CanIFlags): Promise<number> {
	if (flags.list) return listRules(context, words, flags);
	const [verb, target] = words;
	if (verb === undefined || target === undefined || words.length > 2)
		throw new CommandError(
			`you must specify two arguments: verb resource or verb resource/resourceName.\nSee '${calledAs('auth can-i')} -h' for help and examples.`,
		);
	const connection = await context.connect(flags.kubeconfig);
	const spec = target.startsWith('/')
		? pathSpec(context, { verb, path: target }, flags)
		: resourceSpec(context, { verb, target, connection }, flags);
	if (flags.headers === false) throw new CommandError('--no-headers cannot be set without --list specified');
	const { status } = await ask<SelfSubjectAccessReview>(connection, 'SelfSubjectAccessReview', spec);
	const { allowed = false, reason = '', evaluationError = '' } = status ?? {};
	const notes = allowed ? [] : [reason, evaluationError].filter((text) => text !== '');
	if (!flags.quiet) context.stdout.print(`${[allowed ? 'yes' : 'no', ...notes].join(' - ')}\n`);
	return allowed ? 0 : 1;
}

type Spec = SelfSubjectAccessReview['spec'] | SelfSubjectRulesReview['spec'];

const PATH_VERBS: readonly string[] = ['get', 'put', 'post', 'head', 'options', 'delete', 'patch', '*'];
const RESOURCE_VERBS: readonly string[] = [
	...['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'],
	...['use', 'bind', 'impersonate', '*', 'approve', 'sign', 'escalate', 'attest'],
];

/** Resources of rules that no server lists: they are what the verb `impersonate` is about. */
const UNLISTED: readonly string[] = ['users', 'groups'];

function pathSpec(
	context: CliContext,
	{ verb, path }: { readonly verb: string; readonly path: string },
	{ subresource = '' }: CanIFlags,
): Spec {
	if (subresource !== '') throw new CommandError('--subresource can not be used with NonResourceURL');
	if (!PATH_VERBS.includes(verb)) warn(context, `verb '${verb}' is not a known verb`);
	return { nonResourceAttributes: { verb, path } };
}

interface ResourceQuestion {
	readonly verb: string;
	readonly target: string;
	readonly connection: Connection;
}

function resourceSpec(
	context: CliContext,
	{ verb, target, connection }: ResourceQuestion,
	{ allNamespaces = false, subresource = '', namespace: named }: CanIFlags,
): Spec {
	const [word = '', ...rest] = target.split('/');
	const definition =
		word === '*' ? undefined : (resourceNamed(word) ?? resourceNamed(word, virtualResources));
	if (word !== '*' && !definition && !UNLISTED.includes(word.toLowerCase())) warn(context, unknownType(word));
	if (definition && !definition.namespaced && !allNamespaces)
		warn(context, `resource '${definition.resource}' is not namespace scoped${groupText(definition.group)}`);
	if (!allNamespaces && !RESOURCE_VERBS.includes(verb)) warn(context, `verb '${verb}' is not a known verb`);
	const { group = '', resource = word } = definition ?? {};
	const namespace = allNamespaces ? '' : (named ?? connection.namespace);
	return {
		resourceAttributes: { namespace, verb, group, resource, subresource, name: rest.join('/') },
	};
}

function unknownType(word: string): string {
	const [resource, ...group] = word.toLowerCase().split('.');
	return `the server doesn't have a resource type '${resource}'${groupText(group.join('.'))}`;
}

function groupText(group: string): string {
	return group === '' ? '' : ` in group '${group}'`;
}

/** kubectl prints an empty line after these warnings. */
function warn({ stderr }: CliContext, text: string): void {
	stderr.print(`Warning: ${text}\n\n`);
}

async function listRules(context: CliContext, words: readonly string[], flags: CanIFlags): Promise<number> {
	if (words.length > 0) throw new CommandError('list option must be specified with no arguments');
	if (flags.quiet || flags.allNamespaces || flags.subresource)
		throw new CommandError(
			"list option can't be specified with neither quiet, all-namespaces nor subresource options",
		);
	const connection = await context.connect(flags.kubeconfig);
	const namespace = flags.namespace ?? connection.namespace;
	const { status } = await ask<SelfSubjectRulesReview>(connection, 'SelfSubjectRulesReview', { namespace });
	if (status?.incomplete)
		context.stderr.print(`Warning: the list may be incomplete: ${status.evaluationError ?? ''}\n`);
	context.stdout.print(rulesTable(status, flags.headers !== false));
	return 0;
}

const SCHEMAS = {
	SelfSubjectAccessReview: selfSubjectAccessReviewSchema,
	SelfSubjectRulesReview: selfSubjectRulesReviewSchema,
	SelfSubjectReview: selfSubjectReviewSchema,
};

/** Creates a review; resolves to the server's answer. */
async function ask<T>({ client }: Connection, kind: keyof typeof SCHEMAS, spec?: Spec): Promise<T> {
	const group = kind === 'SelfSubjectReview' ? 'authentication.k8s.io' : 'authorization.k8s.io';
	const body = { kind, apiVersion: `${group}/v1`, metadata: {}, ...(spec && { spec }) };
	const path = `/apis/${group}/v1/${kind.toLowerCase()}s`;
	const { object } = await client.transport.request({ method: 'POST', path, body });
	return decodeAs<T>(SCHEMAS[kind], object).value;
}

/** The flags of `auth whoami`. */
export interface WhoAmIFlags extends CommonFlags {
	readonly output?: string;
}

/** `stint auth whoami`: prints the user that the server takes the sender for. Resolves to the exit code. */
export async function whoAmI(context: CliContext, flags: WhoAmIFlags): Promise<number> {
	const form = reviewForm(flags.output);
	const review = await whoSends(await context.connect(flags.kubeconfig));
	if (form === undefined) context.stdout.print(userTable(review));
	else if (form.type === 'jsonpath') context.stdout.write(fillTemplate(form.template, review));
	else
		context.stdout.write(
			form.type === 'json' ? toTypedJson(selfSubjectReviewSchema, review) : toYaml(review),
		);
	return 0;
}

async function whoSends(connection: Connection): Promise<SelfSubjectReview> {
	try {
		return await ask<SelfSubjectReview>(connection, 'SelfSubjectReview');
	} catch (error) {
		const missing = 'the selfsubjectreviews API is not enabled in the cluster';
		if (isApiError(error, 'NotFound')) throw new CommandError(missing);
		if (isApiError(error, 'Forbidden'))
			throw new CommandError(`${missing} or you do not have permission to call it`);
		throw error;
	}
}

function reviewForm(
	output: string | undefined,
): Exclude<OutputForm, { readonly type: 'table' | 'columns' }> | undefined {
	if (output === undefined || output === '') return undefined;
	const form = parseOutputForm(output);
	if (form.type === 'table' || form.type === 'columns' || form.type === 'name')
		throw unknownForm(output, ['json', 'jsonpath', 'yaml']);
	return form;
}

function userTable({ status }: SelfSubjectReview): string {
	const { username = '', uid = '', groups = [], extra = {} } = status?.userInfo ?? {};
	const lines = [
		'ATTRIBUTE\tVALUE',
		...(username === '' ? [] : [`Username\t${username}`]),
		...(uid === '' ? [] : [`UID\t${uid}`]),
		...(groups.length === 0 ? [] : [`Groups\t${goList(groups)}`]),
		...Object.keys(extra)
			.sort(compareText)
			.map((name) => `Extra: ${name}\t${goList(extra[name] ?? [])}`),
	];
	return `${alignText(lines.join('\n'), TABLE_STYLE)}\n`;
}
