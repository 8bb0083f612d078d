import type { ApiRequest } from '../../api/contract/transport.ts';
import { isApiError } from '../../api/errors/api-error.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { threeWayPatch } from '../../api/patch/three-way.ts';
import { isRecord, type JsonRecord } from '../../base/json/json.ts';
import { parseJson } from '../../base/json/json-reader.ts';
import { pathOf } from '../../client/client.ts';
import { unlessGone } from '../../client/outcomes.ts';
import { objectAt } from '../../client/raw-object.ts';
import type { Connection } from '../context.ts';
import { toCompactJson } from '../print/json.ts';
import type { CheckedObject } from './check.ts';

/** The result of applying an object, in kubectl's words. */
export interface Applied {
	readonly object: KubeObject;
	readonly outcome: 'created' | 'configured' | 'unchanged';
}

/**
 * The annotation in which `apply` stores the manifest that it applied last. It is kubectl's, with kubectl's
 * content, so that a user can apply the same object with either program.
 */
export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** Attempts of {@link applyObject} if another client changes the object between our read and our write. */
const ATTEMPTS = 5;

/** Creates the object; rejects with the server's ApiError, AlreadyExists among others. */
export async function createObject({ client }: Connection, checked: CheckedObject): Promise<Applied> {
	const { definition, object } = checked;
	const created = await client.resource(definition, object.metadata.namespace).create(object);
	return { object: created, outcome: 'created' };
}

/** How a command sends an object to the server: {@link createObject} or {@link applyObject}. */
export type SendObject = typeof createObject;

/**
 * Creates the object, or patches the live one as `kubectl apply` does: with a three-way strategic merge patch
 * from the manifest, the last applied manifest and the live object. An object with `generateName` and no name
 * is created anew on each call. On Conflict, or AlreadyExists after a read that found nothing, it reads and
 * retries, at most {@link ATTEMPTS} times. Rejects with the server's ApiError.
 */
export async function applyObject(connection: Connection, checked: CheckedObject): Promise<Applied> {
	const manifest = withLastApplied(manifestOf(checked));
	const { definition, object } = checked;
	const path = pathOf(definition, object.metadata.namespace);
	const { name } = object.metadata;
	const create = async (): Promise<Applied> => {
		const request = { method: 'POST', path, query: QUERY, body: manifest } as const;
		return { object: await send(connection, request), outcome: 'created' };
	};
	if (!name) return create();
	for (let attempt = 1; ; attempt++) {
		const live = await find(connection, `${path}/${encodeURIComponent(name)}`);
		try {
			if (!live) return await create();
			return await change(connection, `${path}/${encodeURIComponent(name)}`, { live, manifest, checked });
		} catch (error) {
			const raced = isApiError(error, 'Conflict') || (!live && isApiError(error, 'AlreadyExists'));
			if (!raced || attempt === ATTEMPTS) throw error;
		}
	}
}

/**
 * The field manager is kubectl's: with another one, a later `kubectl apply --server-side` would report
 * conflicts.
 */
const QUERY = { fieldManager: 'kubectl-client-side-apply', fieldValidation: 'Strict' };

interface Change {
	readonly live: KubeObject;
	readonly manifest: JsonRecord;
	readonly checked: CheckedObject;
}

async function change(
	connection: Connection,
	path: string,
	{ live, manifest, checked }: Change,
): Promise<Applied> {
	const states = { last: lastApplied(live), live: { ...live }, manifest };
	const patch = threeWayPatch(states, checked.definition.schema);
	if (!patch) return { object: live, outcome: 'unchanged' };
	const contentType = 'application/strategic-merge-patch+json';
	const request = { method: 'PATCH', path, query: QUERY, body: patch, contentType } as const;
	return { object: await send(connection, request), outcome: 'configured' };
}

function find(connection: Connection, path: string): Promise<KubeObject | undefined> {
	return unlessGone(send(connection, { method: 'GET', path }));
}

async function send({ client }: Connection, request: ApiRequest): Promise<KubeObject> {
	const { object } = await client.transport.request(request);
	if (isKubeObject(object)) return object;
	throw new Error(`the response of the server to ${request.method} ${request.path} is not an object`);
}

function isKubeObject(value: unknown): value is KubeObject {
	return isRecord(value) && typeof value.kind === 'string' && isRecord(value.metadata);
}

/**
 * The object as written in the manifest, with the namespace that it is sent to: no defaults, no decoded
 * values.
 */
function manifestOf({ definition, object, document }: CheckedObject): JsonRecord {
	const { namespace } = object.metadata;
	const metadata = objectAt(document.object, 'metadata');
	return { ...document.object, metadata: { ...metadata, ...(definition.namespaced && { namespace }) } };
}

/**
 * Adds the annotation {@link LAST_APPLIED}: the manifest as one line of JSON with sorted keys and a newline.
 */
function withLastApplied(manifest: JsonRecord): JsonRecord {
	const metadata = objectAt(manifest, 'metadata');
	const { [LAST_APPLIED]: _, ...annotations } = objectAt(metadata, 'annotations');
	const remembered = `${toCompactJson({ ...manifest, metadata: { ...metadata, annotations } })}\n`;
	return {
		...manifest,
		metadata: { ...metadata, annotations: { ...annotations, [LAST_APPLIED]: remembered } },
	};
}

/** The last applied manifest; undefined without the annotation or if a client wrote something else into it. */
function lastApplied({ metadata }: KubeObject): JsonRecord | undefined {
	const text = metadata.annotations?.[LAST_APPLIED];
	if (text === undefined) return undefined;
	try {
		const parsed = parseJson(text);
		return isRecord(parsed) ? parsed : undefined;
	} catch {
		return undefined;
	}
}
