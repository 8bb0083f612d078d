import type { TokenRequest } from '../../api/authentication/token-request.ts';
import { serviceAccounts } from '../../api/core/serviceaccount/definition.ts';
import { ApiError } from '../../api/errors/api-error.ts';
import { isRecord } from '../../base/json/json.ts';
import { pathOf } from '../../client/client.ts';
import { parseDurationFlag } from '../args/parsed-flag.ts';
import { type CliContext, CommandError, type CommonFlags } from '../context.ts';
import { type CreateFlags, createNew, oneName } from '../create/new-object.ts';
import { toJson } from '../print/json.ts';
import { unknownForm } from '../print/output-form.ts';
import { toYaml } from '../print/yaml.ts';

/** The flags of `create token`. */
export interface TokenFlags extends CommonFlags {
	readonly audience: readonly string[];
	readonly duration?: string;
	readonly boundObjectKind?: string;
	readonly boundObjectName?: string;
	readonly boundObjectUid?: string;
	readonly output?: string;
}

/** `stint create serviceaccount NAME`. Resolves to the exit code. */
export async function createAccount(
	context: CliContext,
	names: readonly string[],
	flags: CreateFlags,
): Promise<number> {
	const metadata = { name: oneName(names, 'serviceaccount') };
	const failure = 'failed to create serviceaccount: ';
	return createNew(context, { definition: serviceAccounts, manifest: { metadata }, failure }, flags);
}

/**
 * `stint create token NAME`: prints a token of the ServiceAccount, or with -o the whole response. Resolves to
 * the exit code.
 */
export async function createToken(
	context: CliContext,
	names: readonly string[],
	flags: TokenFlags,
): Promise<number> {
	const name = oneName(names, 'token');
	const { output = '' } = flags;
	if (!['', 'json', 'yaml'].includes(output)) throw unknownForm(output, ['json', 'yaml']);
	const spec = specOf(flags);
	const { client, namespace } = await context.connect(flags.kubeconfig);
	const path = pathOf(serviceAccounts, flags.namespace ?? namespace);
	const body = { kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1', metadata: {}, spec };
	try {
		const { object } = await client.transport.request({
			method: 'POST',
			path: `${path}/${encodeURIComponent(name)}/token`,
			body,
		});
		context.stdout.print(textOf(object, output));
		return 0;
	} catch (error) {
		// kubectl puts this before the message of the server.
		if (error instanceof ApiError) throw new CommandError(`failed to create token: ${error.message}`);
		throw error;
	}
}

function textOf(object: unknown, output: string): string {
	if (output === 'json') return toJson(object);
	if (output === 'yaml') return toYaml(object);
	const status = isRecord(object) && isRecord(object.status) ? object.status : {};
	return `${status.token}\n`;
}

/** The spec of the request. Throws a CommandError, with kubectl's text, for flags that contradict each other. */
function specOf(flags: TokenFlags): TokenRequest['spec'] {
	const { audience, duration, boundObjectKind: kind = '', boundObjectName: name = '' } = flags;
	const { boundObjectUid: uid = '' } = flags;
	const seconds = duration === undefined ? 0 : secondsOf(duration);
	if (kind === '' && name !== '')
		throw new CommandError('--bound-object-name can only be set if --bound-object-kind is provided');
	if (kind === '' && uid !== '')
		throw new CommandError('--bound-object-uid can only be set if --bound-object-kind is provided');
	if (kind !== '' && !BOUND_KINDS.includes(kind))
		throw new CommandError(`supported --bound-object-kind values are ${BOUND_KINDS.join(', ')}`);
	if (kind !== '' && name === '')
		throw new CommandError('--bound-object-name is required if --bound-object-kind is provided');
	return {
		audiences: audience,
		...(seconds > 0 && { expirationSeconds: seconds }),
		...(kind !== '' && { boundObjectRef: { kind, apiVersion: 'v1', name, ...(uid !== '' && { uid }) } }),
	};
}

const BOUND_KINDS: readonly string[] = ['Node', 'Pod', 'Secret'];

function secondsOf(text: string): number {
	const ms = parseDurationFlag(text, { flag: '--duration', command: 'create token' });
	if (ms < 0) throw new CommandError('--duration must be greater than or equal to 0');
	if (ms % 1000 !== 0) throw new CommandError('--duration cannot be expressed in units less than seconds');
	return ms / 1000;
}
