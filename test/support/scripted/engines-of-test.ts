// Scripted engines that live as long as one test; closing them proves that they hold nothing.
import { afterEach } from 'vitest';
import { startScriptedEngine, type ScriptedEngine } from '../scripted-engine.ts';
import type { ScriptedEngineOptions } from './settings.ts';

/** Call at the top of a test file; what it returns starts an engine. */
export function enginesOfTest(): (options: ScriptedEngineOptions) => Promise<ScriptedEngine> {
  const engines: ScriptedEngine[] = [];
  afterEach(async () => {
    for (const engine of engines.splice(0)) {
      await engine.close();
      const { openConnections, inFlight, running, waiting } = engine;
      if (openConnections + inFlight + running + waiting > 0)
        throw new Error('a scripted engine still holds something');
    }
  });
  return async (options) => {
    const engine = await startScriptedEngine(options);
    engines.push(engine);
    return engine;
  };
}
