import type { ResourceDefinition } from '../../contract/resource-definition.ts';
import { validateTolerations } from '../../core/pod/validation/affinity.ts';
import { validateContainerResources } from '../../core/pod/validation/resources.ts';
import { DEPRECATED_LABELS } from '../../core/pod/warnings.ts';
import { duplicate, fieldRequired, immutable, malformed } from '../../errors/field-errors.ts';
import { type FieldError, FieldPath } from '../../errors/field-path.ts';
import { ageColumn, nameColumn, textColumn } from '../../meta/columns.ts';
import { dns1123Label, dns1123Subdomain } from '../../meta/names.ts';
import { validateLabels } from '../../meta/selector.ts';
import { validateMeta, validateMetaUpdate } from '../../meta/validate-meta.ts';
import { type RuntimeClass, runtimeClassSchema } from './schema.ts';

const META = new FieldPath('metadata');
const HANDLER = new FieldPath('handler');
const SCHEDULING = new FieldPath('scheduling');
const RULES = { namespaced: false, name: dns1123Subdomain };

/**
 * node.k8s.io/v1 RuntimeClasses: registry definition, validation and printer columns. Upstream:
 * pkg/registry/node/runtimeclass/strategy.go and pkg/apis/node/validation.
 */
export const runtimeClasses: ResourceDefinition<RuntimeClass> = {
	group: 'node.k8s.io',
	version: 'v1',
	kind: 'RuntimeClass',
	resource: 'runtimeclasses',
	singular: 'runtimeclass',
	shortNames: [],
	categories: [],
	namespaced: false,
	schema: runtimeClassSchema,
	defaults: (given) => given,
	strategy: {
		prepareForCreate: (given) => given,
		prepareForUpdate: (given) => given,
		validateCreate: validateRuntimeClass,
		validateUpdate: (given, old) => [
			...validateRuntimeClass(given),
			...validateMetaUpdate(given.metadata, old.metadata, META),
			...(given.handler === old.handler ? [] : [immutable(HANDLER, given.handler)]),
		],
		warnings: ({ scheduling }) =>
			Object.keys(scheduling?.nodeSelector ?? {}).flatMap((key) => {
				const text = DEPRECATED_LABELS.get(key);
				return text === undefined ? [] : [`scheduling.nodeSelector: ${text}`];
			}),
		allowUnconditionalUpdate: false,
	},
	columns: [
		nameColumn(),
		textColumn('Handler', 'Name by which the container runtime knows the class.', ({ handler }) => handler),
		ageColumn(),
	],
	selectableFields: () => ({}),
	deletion: { defaultPropagation: 'Background' },
};

function validateRuntimeClass({
	metadata,
	handler,
	overhead,
	scheduling,
}: RuntimeClass): readonly FieldError[] {
	const limits = { limits: overhead?.podFixed ?? {} };
	return [
		...validateMeta(metadata, RULES, META),
		...(handler === '' ? [fieldRequired(HANDLER)] : malformed(HANDLER, handler, dns1123Label(handler))),
		...(overhead ? validateContainerResources(limits, new Set(), new FieldPath('overhead')) : []),
		...(scheduling ? validateScheduling(scheduling) : []),
	];
}

function validateScheduling({
	nodeSelector,
	tolerations = [],
}: NonNullable<RuntimeClass['scheduling']>): readonly FieldError[] {
	const path = SCHEDULING.child('tolerations');
	const seen = new Set<string>();
	const errors = [
		...validateLabels(nodeSelector, SCHEDULING.child('nodeSelector')),
		...validateTolerations(tolerations, path),
	];
	for (const [index, toleration] of tolerations.entries()) {
		const { key, operator, value, effect } = toleration;
		const identity = JSON.stringify([key, operator, value, effect]);
		if (seen.has(identity)) errors.push(duplicate(path.index(index), toleration));
		seen.add(identity);
	}
	return errors;
}
