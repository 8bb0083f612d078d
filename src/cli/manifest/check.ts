import { DecodeError, decodeAs } from '../../api/meta/decode.ts';
import type { FieldError } from '../../api/meta/field.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import type { ResourceDefinition } from '../../api/meta/resource.ts';
import { resourceOfKind } from '../../api/resources.ts';
import { textAt } from '../../client/raw-object.ts';
import type { ManifestDocument, Problem } from './document.ts';
import { fieldHint, kindHint, valueHint } from './hints.ts';

/** An object of a manifest that is fit to be sent. */
export interface CheckedObject {
	readonly definition: ResourceDefinition;
	/** As the manifest has it, with its namespace filled in. */
	readonly object: KubeObject;
	readonly document: ManifestDocument;
}

/**
 * Checks an object as the server would, before anything is sent: its kind, its fields, its values. The
 * server has the last word all the same; this one knows the file and the line.
 */
export function checkDocument(
	document: ManifestDocument,
	namespace: string,
): CheckedObject | readonly Problem[] {
	const apiVersion = textAt(document.object, 'apiVersion') ?? '';
	const kind = textAt(document.object, 'kind') ?? '';
	const problemAt = (path: string, message: string): Problem => ({
		file: document.file,
		position: document.positionOf(path),
		message,
	});
	if (apiVersion === '') return [problemAt('', 'apiVersion not set')];
	if (kind === '') return [problemAt('', 'kind not set')];
	const definition = resourceOfKind(apiVersion, kind);
	if (!definition) {
		const text = `no matches for kind "${kind}" in version "${apiVersion}" (${kindHint(apiVersion, kind)})`;
		return [problemAt(resourceOfKind(apiVersion, kind) ? 'kind' : 'apiVersion', text)];
	}
	try {
		return checkFields(document, definition, { namespace, problemAt });
	} catch (error) {
		if (error instanceof DecodeError) return [problemAt(error.path, error.message)];
		throw error;
	}
}

interface Checking {
	readonly namespace: string;
	problemAt(path: string, message: string): Problem;
}

function checkFields(
	document: ManifestDocument,
	definition: ResourceDefinition,
	{ namespace, problemAt }: Checking,
): CheckedObject | readonly Problem[] {
	const { value, unknown } = decodeAs<KubeObject>(definition.schema, document.object);
	if (unknown.length > 0) {
		return unknown.map((path) => {
			const hint = fieldHint(definition.schema, path);
			const text = `strict decoding error: unknown field "${path}"`;
			return problemAt(path, hint ? `${text} (did you mean "${hint}"?)` : text);
		});
	}
	const place = definition.namespaced ? { namespace: value.metadata.namespace ?? namespace } : {};
	const object = { ...value, metadata: { ...value.metadata, ...place } };
	const errors = validate(definition, object);
	if (errors.length === 0) return { definition, object, document };
	return errors.map(({ field, message }) => {
		const hint = valueHint(message);
		return problemAt(field, `${field}: ${message}${hint ? ` (did you mean "${hint}"?)` : ''}`);
	});
}

/** A uid such as the server gives; the rules only ask that there is one. */
const SOME_UID = '00000000-0000-4000-8000-000000000000';

function validate({ defaults, strategy }: ResourceDefinition, object: KubeObject): readonly FieldError[] {
	const { name, generateName } = object.metadata;
	// A generated name is as good as its prefix; the server completes it.
	const named = {
		...object.metadata,
		uid: SOME_UID,
		name: name ?? (generateName ? `${generateName}xxxxx` : ''),
	};
	const ready = strategy.prepareForCreate(defaults({ ...object, metadata: named }));
	const seen = new Set<string>();
	return strategy.validateCreate(ready).filter(({ field, message }) => {
		const text = `${field}: ${message}`;
		return !seen.has(text) && seen.add(text);
	});
}
