import assert from 'node:assert/strict';
import { SystemClock } from '../../../../base/clock.ts';
import { DescriptorPool } from '../../../process/output/descriptor-pool.ts';
import type { EngineClient } from '../../engine/engine-client.ts';
import type { LogSettings } from '../engine-log.ts';

/** Settings for the copy of a log, which may not fail. */
export function logSettings(client: EngineClient): LogSettings {
	return {
		client,
		clock: new SystemClock(),
		descriptors: new DescriptorPool(1),
		maxBytes: 1_000_000,
		maxFiles: 2,
		stamp: () => '2026-01-31T08:00:00.000000000Z',
		onError: (error) => assert.fail(String(error)),
	};
}
