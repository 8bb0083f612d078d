import type { ObjectNode } from '../schema/schema.ts';

/**
 * Whether the type has a protobuf message. Upstream's types have one, with the numbers in field-numbers.ts. A type that
 * upstream lacks has none, as a custom resource: its clients send JSON or YAML. Its name says which it is: it begins with
 * its group in reverse, as `dev.example.batch.v1.Memo`, upstream's with `io.k8s`.
 */
export function hasFieldNumbers({ name }: Pick<ObjectNode, 'name'>): boolean {
	return name.startsWith('io.k8s.');
}
