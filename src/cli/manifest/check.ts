import type { ResourceDefinition } from '../../api/contract/resource-definition.ts';
import { collectErrors } from '../../api/errors/field-errors.ts';
import type { FieldError } from '../../api/errors/field-path.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { resourceOfKind } from '../../api/resources.ts';
import { decodeAs, decodeProblems } from '../../api/schema/decode.ts';
import { objectAt, textAt } from '../../client/raw-object.ts';
import type { ManifestDocument, Problem } from './document.ts';
import { fieldHint, kindHint, typeHint, valueHint } from './hints.ts';

/** An object of a manifest that has passed all checks and can be sent to the server. */
export interface CheckedObject {
	readonly definition: ResourceDefinition;
	/** The decoded object, with its namespace filled in. */
	readonly object: KubeObject;
	readonly document: ManifestDocument;
}

/** Whether {@link checkDocument} returned an object, and not problems. */
export function isChecked(outcome: CheckedObject | readonly Problem[]): outcome is CheckedObject {
	return 'definition' in outcome;
}

/** The namespace that objects are sent to. */
export interface NamespaceChoice {
	/** The namespace of objects that do not set `metadata.namespace`. */
	readonly namespace: string;
	/** Whether the user chose it with -n. An object with another namespace is then an error, as with kubectl. */
	readonly enforced?: boolean;
}

/**
 * Checks an object before it is sent: its kind, its fields and their values, with the server's own functions
 * for decoding, defaulting and validation. The server checks again and decides; this check exists because
 * only the client knows the file and the line, and because it reports the problems of all objects before it
 * sends the first one.
 */
export function checkDocument(
	document: ManifestDocument,
	choice: NamespaceChoice,
): CheckedObject | readonly Problem[] {
	const { file, object } = document;
	const apiVersion = textAt(object, 'apiVersion') ?? '';
	const kind = textAt(object, 'kind') ?? '';
	const problem = (path: string, message: string, hint?: string): Problem => ({
		file,
		span: document.spanOf(path),
		message,
		...(hint && { hint }),
	});
	if (kind === '') return [problem('', 'kind not set')];
	if (apiVersion === '') return [problem('', 'apiVersion not set')];
	const definition = resourceOfKind(apiVersion, kind);
	if (!definition) {
		const { path, hint } = kindHint(kind);
		return [problem(path, `no matches for kind "${kind}" in version "${apiVersion}"`, hint)];
	}
	const { errors, problems } = decodeProblems(definition.schema, object);
	const unknown = problems.map(({ path }) => path);
	const unknownFields = unknown.map((path) => unknownField(document, definition, path));
	// Validation needs decoded values, so it is skipped if a value has the wrong type.
	if (errors.length > 0) {
		const wrongTypes = errors.map(({ path, message }) =>
			problem(path, `${titleOf(document)}${message}`, typeHint(message)),
		);
		return [...unknownFields, ...wrongTypes];
	}
	const checked = checkFields(document, definition, { choice, problem });
	if (unknown.length === 0 || isChecked(checked)) return unknown.length === 0 ? checked : unknownFields;
	return [...unknownFields, ...checked];
}

/** The path of the object that has the field; empty for a field of the root. */
function parentOf(path: string): string {
	return path.slice(0, Math.max(path.lastIndexOf('.'), 0));
}

/** What the second part of the check needs beside the document. */
interface Checking {
	readonly choice: NamespaceChoice;
	problem(path: string, message: string, hint?: string): Problem;
}

/** The checks of values: the namespace first, since it decides what the object is compared with, then the server's validation. */
function checkFields(
	document: ManifestDocument,
	definition: ResourceDefinition,
	{ choice, problem }: Checking,
): CheckedObject | readonly Problem[] {
	const { value, problems } = decodeAs<KubeObject>(definition.schema, document.object);
	const own = value.metadata.namespace;
	if (definition.namespaced && choice.enforced && own !== undefined && own !== choice.namespace) {
		const text = `the namespace from the provided object "${own}" does not match the namespace "${choice.namespace}"`;
		return [problem('metadata.namespace', text, `run with --namespace=${own}`)];
	}
	const place = definition.namespaced ? { namespace: own ?? choice.namespace } : {};
	const object = { ...value, metadata: { ...value.metadata, ...place } };
	const misspelled = new Set(problems.map(({ path }) => parentOf(path)));
	// If an object has an unknown field and lacks a required one, the unknown one is most likely the required one
	// misspelled: report it once.
	const errors = validate(definition, object).filter(
		({ type, field }) => type !== 'Required' || !misspelled.has(parentOf(field)),
	);
	if (errors.length === 0) return { definition, object, document };
	return errors.map((error) => problemOf(document, error));
}

/** The place is that of the key, not of the value: the name is what is wrong. */
function unknownField(document: ManifestDocument, definition: ResourceDefinition, path: string): Problem {
	const hint = fieldHint(definition.schema, path);
	return {
		file: document.file,
		span: document.keySpanOf(path),
		message: `${titleOf(document)}strict decoding error: unknown field "${path}"`,
		...(hint && { hint }),
	};
}

/** A validation error, with the place of its field in the document. */
export function problemOf(
	document: ManifestDocument,
	{ field, message }: Pick<FieldError, 'field' | 'message'>,
): Problem {
	const span = document.spanOf(field);
	const hint = valueHint(message);
	return {
		file: document.file,
		span,
		message: `${titleOf(document)}${field}: ${message}`,
		...(hint && { hint }),
	};
}

/** The start of a message about the document's object: `Job "pi": `. */
export function titleOf({ object }: ManifestDocument): string {
	const metadata = objectAt(object, 'metadata');
	const name = textAt(metadata, 'name') ?? textAt(metadata, 'generateName');
	const kind = textAt(object, 'kind') ?? 'object';
	return name === undefined ? `${kind}: ` : `${kind} "${name}": `;
}

/** A UID in the server's form. Validation requires a UID, which the server sets on creation. */
const SOME_UID = '00000000-0000-4000-8000-000000000000';

/** The server's path of a create: defaults, then the strategy, then validation. Admission needs a server and is left to it. */
function validate({ defaults, strategy }: ResourceDefinition, object: KubeObject): readonly FieldError[] {
	const { name, generateName } = object.metadata;
	// Validate a generated name by its prefix: the server appends five characters.
	const named = {
		...object.metadata,
		uid: SOME_UID,
		name: name ?? (generateName ? `${generateName}xxxxx` : ''),
	};
	const ready = strategy.prepareForCreate(defaults({ ...object, metadata: named }));
	const errors = collectErrors(() => strategy.validateCreate(ready));
	return errors.filter(
		(error, index) => !errors.slice(index + 1).some((later) => makesRedundant(later, error)),
	);
}

/**
 * Whether `later` makes `earlier` redundant. A Job's validation reports some fields of its Pod template
 * twice: by the rules for Pods and then by the narrower ones for Jobs (restartPolicy).
 */
function makesRedundant(later: FieldError, earlier: FieldError): boolean {
	if (later.field !== earlier.field || later.type !== earlier.type) return false;
	return later.type === 'NotSupported' || later.message === earlier.message;
}
