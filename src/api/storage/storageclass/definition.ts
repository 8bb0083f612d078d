import { compareText } from '../../../base/compare-text.ts';
import type { ResourceDefinition } from '../../contract/resource-definition.ts';
import { DEPRECATED_LABELS } from '../../core/pod/warnings.ts';
import {
	duplicate,
	fieldInvalid,
	fieldRequired,
	immutable,
	malformed,
	notSupported,
	tooLong,
} from '../../errors/field-errors.ts';
import { type FieldError, FieldPath } from '../../errors/field-path.ts';
import { ageColumn, nameColumn, textColumn } from '../../meta/columns.ts';
import { dns1123Subdomain, qualifiedName, utf8Length } from '../../meta/names.ts';
import { validateMeta, validateMetaUpdate } from '../../meta/validate-meta.ts';
import { withDefaults } from '../../schema/defaults.ts';
import { semanticEqual } from '../../schema/equality.ts';
import { type StorageClass, storageClassSchema } from './schema.ts';

const META = new FieldPath('metadata');
const RULES = { namespaced: false, name: dns1123Subdomain };
const DEFAULTS = { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' } as const;
const IMMUTABLE = ['parameters', 'provisioner', 'reclaimPolicy', 'volumeBindingMode'] as const;

/** Annotation with the value `true` on the StorageClass of claims that name none. */
export const DEFAULT_CLASS_ANNOTATION = 'storageclass.kubernetes.io/is-default-class';
const BETA_DEFAULT_ANNOTATION = 'storageclass.beta.kubernetes.io/is-default-class';

/**
 * storage.k8s.io/v1 StorageClasses: registry definition, validation and printer columns. Upstream:
 * pkg/registry/storage/storageclass/strategy.go, `ValidateStorageClass` in pkg/apis/storage/validation.
 */
export const storageClasses: ResourceDefinition<StorageClass> = {
	group: 'storage.k8s.io',
	version: 'v1',
	kind: 'StorageClass',
	resource: 'storageclasses',
	singular: 'storageclass',
	shortNames: ['sc'],
	categories: [],
	namespaced: false,
	schema: storageClassSchema,
	defaults: (given) => withDefaults(given, DEFAULTS),
	strategy: {
		prepareForCreate: (given) => given,
		prepareForUpdate: (given) => given,
		validateCreate: validateStorageClass,
		validateUpdate: (given, old) => [
			...validateStorageClass(given),
			...validateMetaUpdate(given.metadata, old.metadata, META),
			...IMMUTABLE.filter((field) => !semanticEqual(given[field], old[field])).map((field) =>
				immutable(new FieldPath(field), given[field] ?? null),
			),
		],
		warnings: topologyWarnings,
		allowUnconditionalUpdate: true,
	},
	columns: [
		{ ...nameColumn(), cell: ({ metadata }) => nameCell(metadata) },
		textColumn('Provisioner', 'Provisioner that creates the volumes.', ({ provisioner }) => provisioner),
		textColumn(
			'ReclaimPolicy',
			'What happens to volumes whose claim was deleted.',
			(given) => given.reclaimPolicy ?? 'Delete',
		),
		textColumn(
			'VolumeBindingMode',
			'When volumes are provisioned and bound.',
			(given) => given.volumeBindingMode ?? 'Immediate',
		),
		textColumn(
			'AllowVolumeExpansion',
			'Whether claims of this class can grow.',
			(given) => given.allowVolumeExpansion ?? false,
		),
		ageColumn(),
	],
	selectableFields: () => ({}),
	deletion: { defaultPropagation: 'Background' },
};

/** Whether the class is marked as the default (upstream: `IsDefaultAnnotation`). */
function isMarkedDefault({ annotations = {} }: StorageClass['metadata']): boolean {
	return annotations[DEFAULT_CLASS_ANNOTATION] === 'true' || annotations[BETA_DEFAULT_ANNOTATION] === 'true';
}

/**
 * The StorageClass of claims that name none; undefined if no class is marked. Of several the newest applies, so
 * that a new default replaces the old one before that is unmarked (upstream: `GetDefaultClass`).
 */
export function defaultClassOf(classes: readonly StorageClass[]): StorageClass | undefined {
	const time = ({ metadata }: StorageClass): string => metadata.creationTimestamp ?? '';
	const name = ({ metadata }: StorageClass): string => metadata.name ?? '';
	const marked = classes.filter(({ metadata }) => isMarkedDefault(metadata));
	return marked.sort((a, b) => compareText(time(b), time(a)) || compareText(name(a), name(b)))[0];
}

const PARAMETERS = new FieldPath('parameters');
const MAX_PARAMETERS = 512;
const MAX_PARAMETERS_BYTES = 256 * 1024;
const RECLAIM_POLICIES = ['Delete', 'Retain'];
const BINDING_MODES = ['Immediate', 'WaitForFirstConsumer'];

function validateStorageClass(given: StorageClass): readonly FieldError[] {
	const { provisioner } = given;
	const policy: string = given.reclaimPolicy ?? '';
	const mode: string = given.volumeBindingMode ?? '';
	const at = new FieldPath('provisioner');
	return [
		...validateMeta(given.metadata, RULES, META),
		...(provisioner === ''
			? [fieldRequired(at)]
			: malformed(at, provisioner.toLowerCase(), qualifiedName(provisioner.toLowerCase()))),
		...validateParameters(given.parameters ?? {}),
		...(policy === '' || RECLAIM_POLICIES.includes(policy)
			? []
			: [notSupported(new FieldPath('reclaimPolicy'), policy, RECLAIM_POLICIES)]),
		...(BINDING_MODES.includes(mode)
			? []
			: [notSupported(new FieldPath('volumeBindingMode'), mode, BINDING_MODES)]),
		...validateTopologies(given.allowedTopologies ?? [], new FieldPath('allowedTopologies')),
	];
}

function validateParameters(parameters: Readonly<Record<string, string>>): readonly FieldError[] {
	const entries = Object.entries(parameters);
	if (entries.length > MAX_PARAMETERS) return [tooLong(PARAMETERS, MAX_PARAMETERS)];
	const errors: FieldError[] = [];
	let sizeBytes = 0;
	for (const [key, value] of entries) {
		if (key === '') errors.push(fieldInvalid(PARAMETERS, key, 'field can not be empty.'));
		sizeBytes += utf8Length(key) + utf8Length(value);
	}
	if (sizeBytes > MAX_PARAMETERS_BYTES) errors.push(tooLong(PARAMETERS, MAX_PARAMETERS_BYTES));
	return errors;
}

type Topologies = NonNullable<StorageClass['allowedTopologies']>;

/** The terms must differ from each other, as must the keys and the values of each term. */
function validateTopologies(terms: Topologies, path: FieldPath): readonly FieldError[] {
	const errors: FieldError[] = [];
	const seen = new Set<string>();
	for (const [index, { matchLabelExpressions = [] }] of terms.entries()) {
		const at = path.index(index).child('matchLabelExpressions');
		const keys = new Map<string, readonly string[]>();
		for (const [number, { key, values }] of matchLabelExpressions.entries()) {
			const place = at.index(number);
			if (values.length === 0) errors.push(fieldRequired(place.child('values')));
			for (const [position, value] of values.entries()) {
				if (values.indexOf(value) === position) continue;
				errors.push(duplicate(place.child('values').index(position), value));
			}
			errors.push(...malformed(place.child('key'), key, qualifiedName(key)));
			if (keys.has(key)) errors.push(duplicate(place.child('key'), key));
			keys.set(key, [...new Set(values)].sort());
		}
		const text = JSON.stringify([...keys].sort(([a], [b]) => compareText(a, b)));
		if (seen.has(text)) errors.push(duplicate(at, ''));
		seen.add(text);
	}
	return errors;
}

function topologyWarnings({ allowedTopologies = [] }: StorageClass): readonly string[] {
	return allowedTopologies.flatMap(({ matchLabelExpressions = [] }, index) =>
		matchLabelExpressions.flatMap(({ key }, number) => {
			const text = DEPRECATED_LABELS.get(key);
			const at = new FieldPath('allowedTopologies').index(index).child('matchLabelExpressions').index(number);
			return text === undefined ? [] : [`${at.child('key').text}: ${text}`];
		}),
	);
}

/** The name, marked like kubectl's own printer marks the default class. */
function nameCell(metadata: StorageClass['metadata']): string {
	return `${metadata.name ?? ''}${isMarkedDefault(metadata) ? ' (default)' : ''}`;
}
