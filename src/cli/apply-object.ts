import { isApiError } from '../api/meta/api-error.ts';
import type { KubeObject } from '../api/meta/object-meta.ts';
import type { ApiRequest } from '../api/meta/transport.ts';
import { threeWayPatch } from '../api/patch/three-way.ts';
import { parseJson } from '../base/json-reader.ts';
import { pathOf } from '../client/client.ts';
import { isRawObject, objectAt, type RawObject } from '../client/raw-object.ts';
import type { Connection } from './context.ts';
import type { CheckedObject } from './manifest/check.ts';
import { toCompactJson } from './print/json.ts';

/** What became of an object. */
export interface Applied {
	readonly object: KubeObject;
	readonly outcome: 'created' | 'configured' | 'unchanged';
}

/** The annotation in which `apply` keeps what it applied; the same as kubectl's, so that both may be used. */
export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** Somebody else may change the object between our read and our write; then it is read again. */
const ATTEMPTS = 5;

/** Creates the object; rejects with the server's ApiError, AlreadyExists among others. */
export async function createObject({ client }: Connection, checked: CheckedObject): Promise<Applied> {
	const { definition, object } = checked;
	const created = await client.resource(definition, object.metadata.namespace).create(object);
	return { object: created, outcome: 'created' };
}

/** The way an object gets to the server: {@link createObject} or {@link applyObject}. */
export type SendObject = typeof createObject;

/**
 * Creates the object, or changes the live one as `kubectl apply` does: by a patch made of the manifest,
 * what was applied before, and what is live. Without a name it is a new object each time. Rejects with
 * the server's ApiError.
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

const QUERY = { fieldManager: 'kubectl-client-side-apply', fieldValidation: 'Strict' };

interface Change {
	readonly live: KubeObject;
	readonly manifest: RawObject;
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

async function find(connection: Connection, path: string): Promise<KubeObject | undefined> {
	try {
		return await send(connection, { method: 'GET', path });
	} catch (error) {
		if (isApiError(error, 'NotFound')) return undefined;
		throw error;
	}
}

async function send({ client }: Connection, request: ApiRequest): Promise<KubeObject> {
	const { object } = await client.transport.request(request);
	if (isKubeObject(object)) return object;
	throw new Error(`the server answered ${request.method} ${request.path} with what is no object`);
}

function isKubeObject(value: unknown): value is KubeObject {
	return isRawObject(value) && typeof value.kind === 'string' && isRawObject(value.metadata);
}

/** The object as the manifest has it, with the namespace it goes to. */
function manifestOf({ definition, object, document }: CheckedObject): RawObject {
	const { namespace } = object.metadata;
	const metadata = objectAt(document.object, 'metadata');
	return { ...document.object, metadata: { ...metadata, ...(definition.namespaced && { namespace }) } };
}

/** The annotation holds the manifest itself: one line of JSON with sorted keys and a line end, as kubectl's. */
function withLastApplied(manifest: RawObject): RawObject {
	const metadata = objectAt(manifest, 'metadata');
	const { [LAST_APPLIED]: _, ...annotations } = objectAt(metadata, 'annotations');
	const remembered = `${toCompactJson({ ...manifest, metadata: { ...metadata, annotations } })}\n`;
	return {
		...manifest,
		metadata: { ...metadata, annotations: { ...annotations, [LAST_APPLIED]: remembered } },
	};
}

function lastApplied({ metadata }: KubeObject): RawObject | undefined {
	const text = metadata.annotations?.[LAST_APPLIED];
	if (text === undefined) return undefined;
	try {
		const parsed = parseJson(text);
		return isRawObject(parsed) ? parsed : undefined;
	} catch {
		return undefined;
	}
}
