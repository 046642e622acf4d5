// The calls of two services to a language model on one day, as they are in the files: when, and how many tokens in and out.
import * as z from 'zod'
import { readCsv } from '../../test/real-data.ts'
import type { Usage } from './test-rows.ts'

const Line = z.object({
  TIMESTAMP: z.string(),
  ContextTokens: z.coerce.number().int(),
  GeneratedTokens: z.coerce.number().int(),
})

/** `time` is UTC. Prices are millionths of a dollar per token; the model is ours, because the files name none. */
export type Call = { time: Date; model: string; tokensIn: number; tokensOut: number }

export const SERVICES = ['code', 'conv'] as const

export const PRICES: Record<string, { provider: string; in: number; out: number }> = {
  'azure:gpt-4:0613': { provider: 'azure', in: 30, out: 60 },
  'gpt-35-turbo': { provider: 'azure', in: 2, out: 3 },
  'claude-instant:1.2': { provider: 'bedrock', in: 1, out: 5 },
}

const MODELS = Object.keys(PRICES)

export async function readCalls(service: (typeof SERVICES)[number]): Promise<Call[]> {
  const lines = await readCsv(`campaigns/llm_usage_${service}.csv`, Line)
  return lines.map((line, i) => ({
    time: new Date(`${line.TIMESTAMP.slice(0, 23).replace(' ', 'T')}Z`),
    model: MODELS[i % MODELS.length] ?? '',
    tokensIn: line.ContextTokens,
    tokensOut: line.GeneratedTokens,
  }))
}

export function usageOf({ time, model, tokensIn, tokensOut }: Call): Usage {
  return {
    provider: PRICES[model]?.provider ?? null,
    model,
    tokens_in: tokensIn,
    tokens_out: tokensOut,
    cost_usd: (microsOf({ model, tokensIn, tokensOut }) / 1e6).toFixed(6),
    campaign_name: null,
    created_at: time.toISOString(),
  }
}

/** Millionths of a dollar. */
export function microsOf(call: Pick<Call, 'model' | 'tokensIn' | 'tokensOut'>): number {
  const price = PRICES[call.model]
  return price ? call.tokensIn * price.in + call.tokensOut * price.out : 0
}
