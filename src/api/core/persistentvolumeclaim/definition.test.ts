import assert from 'node:assert/strict';
import test from 'node:test';
import { decode } from '../../schema/decode.ts';
import { persistentVolumeClaims } from './definition.ts';
import { type PersistentVolumeClaim, persistentVolumeClaimSchema } from './schema.ts';

const SPEC = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };

function claim(spec: object = {}, status: object = {}, metadata: object = {}): PersistentVolumeClaim {
	const json = {
		metadata: { name: 'c', namespace: 'default', uid: 'u', resourceVersion: '1', ...metadata },
		spec: { ...SPEC, ...spec },
		status,
	};
	return persistentVolumeClaims.defaults(decode(persistentVolumeClaimSchema, json).value);
}

const { strategy, status: statusStrategy, columns } = persistentVolumeClaims;

function texts(errors: ReturnType<typeof strategy.validateCreate>): readonly string[] {
	return errors.map(({ field, message }) => `${field}: ${message}`);
}

test('defaulting sets the volume mode and the phase, and a second pass changes nothing', () => {
	const given = claim();
	assert.equal(given.spec.volumeMode, 'Filesystem');
	assert.equal(given.status.phase, 'Pending');
	assert.equal(persistentVolumeClaims.defaults(given), given);
	const created = strategy.prepareForCreate(claim({}, { phase: 'Bound', capacity: { storage: '1Gi' } }));
	assert.deepEqual(created.status, { phase: 'Pending' });
});

const MODES = '"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"';

const REFUSED: readonly (readonly [object, string])[] = [
	[{ accessModes: [] }, 'spec.accessModes: Required value: at least 1 access mode is required'],
	[{ accessModes: ['x'] }, `spec.accessModes: Unsupported value: "x": supported values: ${MODES}`],
	[
		{ accessModes: ['ReadWriteOncePod', 'ReadWriteOnce'] },
		'spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes',
	],
	[
		{ selector: { matchExpressions: [{ key: 'a', operator: 'In' }] } },
		"spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
	],
	[{ resources: {} }, 'spec.resources[storage]: Required value'],
	[
		{ resources: { requests: { storage: '0' } } },
		'spec.resources[storage]: Invalid value: "0": must be greater than zero',
	],
	[
		{ volumeMode: 'Tape' },
		'spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"',
	],
	[
		{ dataSource: { kind: 'VolumeSnapshot', name: '' } },
		'spec.dataSource.name: Required value; spec.dataSource: Invalid value: "VolumeSnapshot": must be \'PersistentVolumeClaim\' when referencing the default apiGroup',
	],
	[
		{
			dataSource: { kind: 'PersistentVolumeClaim', name: 'a' },
			dataSourceRef: { kind: 'PersistentVolumeClaim', name: 'b' },
		},
		'spec: Invalid value: {}: must match dataSourceRef',
	],
];

test('a create is refused for each broken rule with the text of upstream', () => {
	assert.deepEqual(texts(strategy.validateCreate(claim())), []);
	for (const [spec, text] of REFUSED) {
		assert.equal(texts(strategy.validateCreate(claim(spec))).join('; '), text, JSON.stringify(spec));
	}
	const named = texts(strategy.validateCreate(claim({ storageClassName: 'A' })));
	assert.match(named.join(), /^spec.storageClassName: Invalid value: "A": a lowercase RFC 1123 subdomain/);
});

test('dataSource and dataSourceRef are copied to each other, and other kinds are dropped with a warning', () => {
	const source = { apiGroup: null, kind: 'PersistentVolumeClaim', name: 'a' };
	const forward = strategy.prepareForCreate(claim({ dataSource: source })).spec;
	assert.deepEqual(forward.dataSourceRef, source);
	const back = strategy.prepareForCreate(claim({ dataSourceRef: source })).spec;
	assert.deepEqual(back.dataSource, source);
	const other = claim({ dataSource: { apiGroup: 'example.com', kind: 'Book', name: 'a' } });
	assert.equal(strategy.prepareForCreate(other).spec.dataSource, undefined);
	assert.deepEqual(strategy.droppedFields?.(other, undefined), [
		'spec.dataSource: it is left out: it can refer only to a PersistentVolumeClaim or a VolumeSnapshot: use dataSourceRef',
	]);
	const far = claim({ dataSourceRef: { ...source, namespace: 'other' } });
	assert.equal(strategy.prepareForCreate(far).spec.dataSourceRef, undefined);
	assert.equal(strategy.droppedFields?.(far, undefined).length, 1);
});

const CHANGED =
	'spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n';

test('an update can set volumeName once and a class once, and can expand a bound claim', () => {
	const update = (spec: object, old: PersistentVolumeClaim, metadata: object = {}): readonly string[] =>
		texts(strategy.validateUpdate(claim(spec, old.status, metadata), old));
	assert.deepEqual(update({ volumeName: 'v' }, claim()), []);
	assert.deepEqual(update({ volumeName: 'w' }, claim({ volumeName: 'v' })), [CHANGED]);
	assert.deepEqual(update({ storageClassName: 'a' }, claim()), []);
	assert.deepEqual(update({ storageClassName: 'b' }, claim({ storageClassName: 'a' })), [CHANGED]);
	const beta = { annotations: { 'volume.beta.kubernetes.io/storage-class': 'a' } };
	assert.deepEqual(update({ storageClassName: 'a' }, claim({}, {}, beta)), []);
	assert.deepEqual(update({}, claim({}, {}, beta)), [
		'metadata.annotations.volume.beta.kubernetes.io/storage-class: Invalid value: "": field is immutable',
	]);
	const larger = { resources: { requests: { storage: '2Gi' } } };
	assert.deepEqual(update(larger, claim()), [CHANGED]);
	const bound = claim(larger, { phase: 'Bound', capacity: { storage: '1Gi' } });
	assert.deepEqual(update({ resources: { requests: { storage: '3Gi' } } }, bound), []);
	assert.deepEqual(update({}, bound), [
		'spec.resources.requests.storage: Forbidden: field can not be less than status.capacity',
	]);
	assert.deepEqual(update({ volumeMode: 'Block' }, claim()), [
		CHANGED,
		'volumeMode: Invalid value: "Block": field is immutable',
	]);
	assert.deepEqual(
		update(
			{},
			claim({ volumeAttributesClassName: 'x' }, { phase: 'Bound', currentVolumeAttributesClassName: 'x' }),
		),
		[
			'spec.volumeAttributesClassName: Forbidden: update to nil is forbidden when status.currentVolumeAttributesClassName is not nil',
		],
	);
});

test('an update of the status keeps the spec, and checks amounts', () => {
	const old = claim();
	const given = claim({ volumeName: 'v' }, { phase: 'Bound', healthStatus: {} });
	const next = statusStrategy?.prepareForUpdate(given, old);
	assert.equal(next?.spec, old.spec);
	assert.deepEqual(next?.status, { phase: 'Bound' });
	const wrong = claim({}, { capacity: { storage: '-1' }, allocatedResourceStatuses: { cpu: 'x' } });
	assert.deepEqual(texts(statusStrategy?.validateUpdate(wrong, old) ?? []), [
		'status.capacity[storage]: Invalid value: -1: must be a valid resource quantity',
		'status.allocatedResourceStatuses: Unsupported value: "cpu": supported values: "storage"',
		'status.allocatedResourceStatuses: Unsupported value: "cpu": supported values: "ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizeInProgress", "NodeResizeInfeasible", "NodeResizePending"',
	]);
});

test('the printer columns of a claim are those of kubectl', () => {
	const cells = (given: PersistentVolumeClaim): readonly unknown[] =>
		columns.map(({ cell }) => cell(given, Date.parse('2026-01-31T08:10:00Z')));
	const at = { creationTimestamp: '2026-01-31T08:00:00Z' };
	assert.deepEqual(cells(claim({}, {}, at)), [
		'c',
		'Pending',
		'',
		'',
		'',
		'',
		'<unset>',
		'10m',
		'Filesystem',
	]);
	const status = {
		phase: 'Bound',
		capacity: { storage: '2Gi' },
		accessModes: ['ReadWriteOnce', 'ReadOnlyMany'],
	};
	const bound = claim({ volumeName: 'v', storageClassName: 'local' }, status, {
		...at,
		deletionTimestamp: '2026-01-31T08:05:00Z',
	});
	assert.deepEqual(cells(bound).slice(1, 6), ['Terminating', 'v', '2Gi', 'RWO,ROX', 'local']);
});
