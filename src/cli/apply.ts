import { isApiError } from '../api/meta/api-error.ts';
import type { KubeObject } from '../api/meta/object-meta.ts';
import { threeWayPatch } from '../api/patch/three-way.ts';
import { isRawObject, type RawObject } from '../client/raw-object.ts';
import { type CliContext, CommandError, type CommonFlags, type Connection } from './context.ts';
import { describeError } from './errors.ts';
import type { CheckedObject } from './manifest/check.ts';
import { loadManifests } from './manifest/load.ts';
import { displayName } from './targets.ts';

/** The flags of `apply`. */
export interface ApplyFlags extends CommonFlags {
	readonly filename: readonly string[];
}

/** What became of an object. */
export interface Applied {
	readonly object: KubeObject;
	readonly outcome: 'created' | 'configured' | 'unchanged';
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** `stint apply -f`: creates what is missing and changes what differs, as `kubectl apply` does. */
export async function apply(context: CliContext, flags: ApplyFlags): Promise<void> {
	if (flags.filename.length === 0)
		throw new CommandError('must specify -f: a file, a folder, or - for standard input');
	const connection = await context.connect(flags.kubeconfig);
	const objects = await loadManifests(context, flags.filename, flags.namespace ?? connection.namespace);
	for (const [index, checked] of objects.entries()) {
		try {
			const { object, outcome } = await applyObject(connection, checked);
			context.stdout.write(`${displayName(checked.definition, object)} ${outcome}\n`);
		} catch (error) {
			const left = objects.length - index - 1;
			const rest = left > 0 ? `\n${left} further object(s) of the manifest have not been applied` : '';
			const before = index > 0 ? `\nwhat is named above has been applied` : '';
			const { file, positionOf } = checked.document;
			throw new CommandError(`${file.name}:${positionOf('').line}: ${describeError(error)}${before}${rest}`);
		}
	}
}

/** Creates or changes one object. Rejects with the server's ApiError. */
export async function applyObject({ client }: Connection, checked: CheckedObject): Promise<Applied> {
	const { definition, object } = checked;
	const target = client.resource(definition, object.metadata.namespace);
	const manifest = manifestOf(checked);
	const annotated = withLastApplied(manifest);
	const { name } = object.metadata;
	if (!name) return { object: await target.create({ ...object, ...annotated }), outcome: 'created' };
	const live = await target.get(name).catch((error: unknown) => {
		if (isApiError(error, 'NotFound')) return undefined;
		throw error;
	});
	if (!live) return { object: await target.create({ ...object, ...annotated }, STRICT), outcome: 'created' };
	const patch = threeWayPatch(
		{ last: lastApplied(live), live: { ...live }, manifest: annotated },
		definition.schema,
	);
	if (!patch) return { object: live, outcome: 'unchanged' };
	return { object: await target.patch(name, 'strategic', patch), outcome: 'configured' };
}

const STRICT = { fieldValidation: 'Strict' };

/** The object as the manifest has it, with the namespace it goes to: what the server is told to remember. */
function manifestOf({ definition, object, document }: CheckedObject): RawObject {
	const metadata = isRawObject(document.object.metadata) ? document.object.metadata : {};
	const { namespace } = object.metadata;
	return { ...document.object, metadata: { ...metadata, ...(definition.namespaced && { namespace }) } };
}

/** The annotation holds the manifest itself, with sorted keys and a line end, as kubectl writes it. */
function withLastApplied(manifest: RawObject): RawObject & { readonly metadata: RawObject } {
	const metadata = isRawObject(manifest.metadata) ? manifest.metadata : {};
	const given = isRawObject(metadata.annotations) ? metadata.annotations : {};
	const { [LAST_APPLIED]: _, ...annotations } = given;
	const remembered = sorted({ ...manifest, metadata: { ...metadata, annotations } });
	const text = `${JSON.stringify(remembered)}\n`;
	return { ...manifest, metadata: { ...metadata, annotations: { ...annotations, [LAST_APPLIED]: text } } };
}

function lastApplied({ metadata }: KubeObject): RawObject | undefined {
	const text = metadata.annotations?.[LAST_APPLIED];
	if (text === undefined) return undefined;
	try {
		const parsed: unknown = JSON.parse(text);
		return isRawObject(parsed) ? parsed : undefined;
	} catch {
		return undefined;
	}
}

function sorted(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(sorted);
	if (!isRawObject(value)) return value;
	return Object.fromEntries(
		Object.keys(value)
			.sort()
			.map((key) => [key, sorted(value[key])]),
	);
}
