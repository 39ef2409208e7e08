# -*- coding: latin-1 -*-
import asyncio
s = 'ä'
async def f(): await asyncio.sleep(1)