import type { ObjectMeta } from '../meta/object-meta.ts';

/** metadata.managedFields of an object: which manager set which fields. */
type ManagedFields = NonNullable<ObjectMeta['managedFields']>;

/** The managedFields that a client sent, those that are stored, and the subresource that it wrote to. */
export interface ManagedFieldsWrite {
	readonly sent: ManagedFields | undefined;
	/** Undefined for a new object, too. */
	readonly stored: ManagedFields | undefined;
	/** Empty for the object itself. */
	readonly subresource: string;
}

/**
 * The managedFields after a write (upstream: decodeLiveOrNew in the field manager). The server does not record
 * managers itself yet.
 *
 * - A client that sends none keeps the stored ones: most clients do not know the field and would delete it.
 * - So does one that sends a list that cannot be read, and every write to a subresource.
 * - A list of one empty entry deletes them. An empty list cannot do that: it is the same as none.
 */
export function managedFieldsAfter({
	sent = [],
	stored,
	subresource,
}: ManagedFieldsWrite): ManagedFields | undefined {
	if (subresource !== '') return stored;
	if (isReset(sent)) return undefined;
	return sent.length > 0 && sent.every(isReadable) ? sent : stored;
}

function isReset([first, ...others]: ManagedFields): boolean {
	return first !== undefined && others.length === 0 && Object.values(first).every((value) => !value);
}

/** Upstream: DecodeManagedFields. */
function isReadable({ operation, apiVersion, fieldsType }: ManagedFields[number]): boolean {
	return (
		(operation === 'Apply' || operation === 'Update') && Boolean(apiVersion) && fieldsType === 'FieldsV1'
	);
}

/** The object with these managedFields: the same one if it has them already. */
export function withManagedFields<T extends { readonly metadata: ObjectMeta }>(
	object: T,
	managedFields: ManagedFields | undefined,
): T {
	if (object.metadata.managedFields === managedFields) return object;
	const { managedFields: _sent, ...metadata } = object.metadata;
	return { ...object, metadata: { ...metadata, ...(managedFields && { managedFields }) } };
}
