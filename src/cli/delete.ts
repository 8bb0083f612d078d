import { isApiError } from '../api/meta/api-error.ts';
import type { KubeObject } from '../api/meta/object-meta.ts';
import type { ResourceDefinition } from '../api/meta/resource.ts';
import { resourceOfKind } from '../api/resources.ts';
import type { DeleteOptions, ResourceClient } from '../client/client.ts';
import { objectAt, textAt } from '../client/raw-object.ts';
import { type CliContext, CommandError, type CommonFlags, type Connection } from './context.ts';
import { loadDocuments } from './manifest/load.ts';
import { displayName, parseTargets } from './targets.ts';

/** The flags of `delete`. */
export interface DeleteFlags extends CommonFlags {
	readonly filename: readonly string[];
	readonly selector?: string;
	readonly all?: boolean;
	readonly cascade: string;
	readonly gracePeriod?: string;
	readonly now?: boolean;
	readonly force?: boolean;
	readonly wait: boolean;
	readonly ignoreNotFound?: boolean;
}

interface Victim {
	readonly definition: ResourceDefinition;
	readonly namespace: string;
	readonly name: string;
}

/** `stint delete`: deletes objects with all that depends on them and waits until they are gone. */
export async function deleteObjects(
	context: CliContext,
	words: readonly string[],
	flags: DeleteFlags,
): Promise<void> {
	const connection = await context.connect(flags.kubeconfig);
	const victims = await victimsOf(context, connection, words, flags);
	if (victims.length === 0) context.stderr.write('No resources found\n');
	const options = optionsOf(flags);
	for (const victim of victims) {
		const target = connection.client.resource(victim.definition, victim.namespace);
		try {
			const uid = await uidOf(target, victim.name);
			await target.delete(victim.name, options);
			const forced = flags.force ? ' force' : '';
			context.stdout.write(`${quoted(victim)}${forced} deleted\n`);
			if (flags.wait) await gone(target, victim.name, uid);
		} catch (error) {
			if (!flags.ignoreNotFound || !isApiError(error, 'NotFound')) throw error;
		}
	}
}

function quoted({ definition, name }: Victim): string {
	const [type = ''] = displayName(definition, { metadata: { name } }).split('/');
	return `${type} "${name}"`;
}

async function uidOf(target: ResourceClient<KubeObject>, name: string): Promise<string | undefined> {
	return (await target.get(name)).metadata.uid;
}

async function victimsOf(
	context: CliContext,
	connection: Connection,
	words: readonly string[],
	flags: DeleteFlags,
): Promise<readonly Victim[]> {
	const namespace = flags.namespace ?? connection.namespace;
	if (flags.filename.length > 0) {
		return (await loadDocuments(context, flags.filename)).map(({ object }) => {
			const [apiVersion = '', kind = ''] = [textAt(object, 'apiVersion'), textAt(object, 'kind')];
			const definition = resourceOfKind(apiVersion, kind);
			if (!definition) throw new CommandError(`no matches for kind "${kind}" in version "${apiVersion}"`);
			const metadata = objectAt(object, 'metadata');
			return {
				definition,
				namespace: textAt(metadata, 'namespace') ?? namespace,
				name: textAt(metadata, 'name') ?? '',
			};
		});
	}
	const victims: Victim[] = [];
	for (const { definition, name } of parseTargets(words)) {
		if (name !== undefined) {
			victims.push({ definition, namespace, name });
			continue;
		}
		if (!flags.all && !flags.selector)
			throw new CommandError('resource(s) were provided, but no name was specified');
		const query = flags.selector ? { labelSelector: flags.selector } : {};
		const { items } = await connection.client.resource(definition, namespace).list(query);
		victims.push(...items.map(({ metadata }) => ({ definition, namespace, name: metadata.name ?? '' })));
	}
	return victims;
}

const PROPAGATION: Readonly<Record<string, NonNullable<DeleteOptions['propagationPolicy']>>> = {
	background: 'Background',
	foreground: 'Foreground',
	orphan: 'Orphan',
};

function optionsOf({ cascade, gracePeriod, now, force }: DeleteFlags): DeleteOptions {
	const propagationPolicy = PROPAGATION[cascade];
	if (!propagationPolicy)
		throw new CommandError(
			`invalid cascade value (${cascade}). Must be "background", "foreground", or "orphan"`,
		);
	const asked = now ? 1 : gracePeriod === undefined ? undefined : Number(gracePeriod);
	if (asked !== undefined && !Number.isInteger(asked))
		throw new CommandError(`--grace-period: must be a whole number, not "${gracePeriod}"`);
	// Without --force nothing is taken from the API before its processes are known to have ended.
	const grace = force ? (asked ?? 0) : asked === 0 ? 1 : asked;
	return { propagationPolicy, ...(grace !== undefined && grace >= 0 && { gracePeriodSeconds: grace }) };
}

/** Resolves once the object is gone, or another one has its name. */
async function gone(
	target: ResourceClient<KubeObject>,
	name: string,
	uid: string | undefined,
): Promise<void> {
	const fieldSelector = `metadata.name=${name}`;
	const { items, metadata } = await target.list({ fieldSelector });
	if (items[0]?.metadata.uid !== uid || items.length === 0) return;
	const end = Promise.withResolvers<void>();
	const watch = await target.watch(
		{ fieldSelector, resourceVersion: metadata.resourceVersion },
		{
			events: (batch) => {
				if (batch.some(({ type, object }) => type === 'DELETED' && object.metadata.uid === uid))
					end.resolve();
			},
			ended: (error) => (error ? end.reject(error) : end.resolve()),
		},
	);
	await end.promise.finally(() => watch.stop());
}
