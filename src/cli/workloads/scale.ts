import { pathOf } from '../../client/client.ts';
import { objectAt, textAt } from '../../client/raw-object.ts';
import { parseInt32Flag } from '../args/parsed-flag.ts';
import { displayName } from '../args/resource-args.ts';
import { type CliContext, CommandError, type Connection } from '../context.ts';
import { type ChoiceFlags, type NamedObject, namedObjects } from './named-objects.ts';

/** The flags of `scale`. */
export interface ScaleFlags extends ChoiceFlags {
	readonly replicas?: string;
	readonly currentReplicas?: string;
	readonly resourceVersion?: string;
}

/** `stint scale`: sets the number of Pods of workloads, by their subresource `scale`. Resolves to the exit code. */
export async function scale(
	context: CliContext,
	words: readonly string[],
	flags: ScaleFlags,
): Promise<number> {
	const wanted = wantedOf(flags);
	const connection = await context.connect(flags.kubeconfig);
	const found = await namedObjects(connection, words, flags);
	if (found.length === 0) throw new CommandError('no objects passed to scale');
	if (wanted.resourceVersion !== undefined && found.length > 1)
		throw new CommandError('cannot use --resource-version with multiple resources');
	for (const each of found) {
		await scaleOne(connection, each, wanted);
		context.stdout.print(`${displayName(each.definition, each.object)} scaled\n`);
	}
	return 0;
}

interface Wanted {
	readonly replicas: number;
	/** Undefined: whatever it is now. */
	readonly current: number | undefined;
	readonly resourceVersion: string | undefined;
}

function wantedOf({ replicas, currentReplicas = '-1', resourceVersion }: ScaleFlags): Wanted {
	if (replicas === undefined) throw new CommandError('required flag(s) "replicas" not set');
	const count = parseInt32Flag(replicas, { flag: '--replicas', command: 'scale' });
	const current = parseInt32Flag(currentReplicas, { flag: '--current-replicas', command: 'scale' });
	if (count < 0)
		throw new CommandError(
			'The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0',
		);
	if (current < -1) throw new CommandError('The --current-replicas must specify an integer of -1 or greater');
	return {
		replicas: count,
		current: current === -1 ? undefined : current,
		resourceVersion: resourceVersion || undefined,
	};
}

async function scaleOne(
	connection: Connection,
	{ definition, object }: NamedObject,
	wanted: Wanted,
): Promise<void> {
	const { transport } = connection.client;
	const { name = '', namespace } = object.metadata;
	const path = `${pathOf(definition, namespace)}/${encodeURIComponent(name)}/scale`;
	const spec = { replicas: wanted.replicas };
	if (wanted.current === undefined && wanted.resourceVersion === undefined) {
		const contentType = 'application/merge-patch+json';
		await transport.request({ method: 'PATCH', path, contentType, body: { spec } });
		return;
	}
	const { object: current } = await transport.request({ method: 'GET', path });
	const { replicas = 0 } = objectAt(current, 'spec');
	if (wanted.current !== undefined && replicas !== wanted.current)
		throw new CommandError(`Expected replicas to be ${wanted.current}, was ${replicas}`);
	const metadata = objectAt(current, 'metadata');
	const version = textAt(metadata, 'resourceVersion');
	if (wanted.resourceVersion !== undefined && version !== wanted.resourceVersion)
		throw new CommandError(`Expected resource version to be ${wanted.resourceVersion}, was ${version}`);
	await transport.request({ method: 'PUT', path, body: { metadata, spec } });
}
